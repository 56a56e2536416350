# What is installed, and the packages that `make package` makes of it: a Debian package, which leans on this
# release's libraries, and an archive that brings all of them but glibc and runs from any folder.

# Both find these here: bin/maas, lib/maas/*.so, lib/maas/model.
set(MAAS_PRIVATE_LIBRARIES lib/maas)
set_target_properties(maas PROPERTIES INSTALL_RPATH "$ORIGIN/../${MAAS_PRIVATE_LIBRARIES}")
install(TARGETS maas RUNTIME_DEPENDENCY_SET maas_libraries RUNTIME DESTINATION bin COMPONENT server)
# Debian 12 has them among its backports alone, and elsewhere their package brings gRPC, which is not used.
foreach(library ${OPENTELEMETRY_LIBRARIES})
  get_filename_component(opentelemetry_folder ${library} DIRECTORY)
  file(REAL_PATH ${library} file)
  get_filename_component(name ${library} NAME)
  install(FILES ${file} DESTINATION ${MAAS_PRIVATE_LIBRARIES} RENAME ${name} COMPONENT system)
endforeach()
install(DIRECTORY ${CMAKE_BINARY_DIR}/model DESTINATION ${MAAS_PRIVATE_LIBRARIES} COMPONENT server
  OPTIONAL USE_SOURCE_PERMISSIONS PATTERN .made-by EXCLUDE)
install(FILES README.md THIRD_PARTY.md DESTINATION share/doc/maas COMPONENT server)
install(FILES LICENSE DESTINATION share/doc/maas RENAME copyright COMPONENT server)
install(DIRECTORY docs DESTINATION share/doc/maas COMPONENT server)
install(FILES deploy/otel-collector.yaml deploy/prometheus.yml deploy/grafana-dashboard.json
  DESTINATION share/doc/maas/deploy COMPONENT server)

install(FILES deploy/debian/maas.service DESTINATION lib/systemd/system COMPONENT system)
# Keys are in it.
install(FILES deploy/debian/maas.env DESTINATION /etc/maas COMPONENT system
  PERMISSIONS OWNER_READ OWNER_WRITE)

install(RUNTIME_DEPENDENCY_SET maas_libraries DIRECTORIES ${opentelemetry_folder}
  PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|resolv)\\.so"
  LIBRARY DESTINATION ${MAAS_PRIVATE_LIBRARIES} COMPONENT libraries)

set(CPACK_PACKAGE_NAME maas)
set(CPACK_PACKAGE_VERSION ${MAAS_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "short- and long-term memory for AI agents over HTTP")
set(CPACK_PACKAGE_DESCRIPTION "MaaS keeps the messages of agents' sessions and hands out the window of them
that fits a model, and remembers users, agents and sessions for good, to be searched by words and by meaning.
It serves an embedded database, or sessions in Redis and memories in MongoDB.")
set(CPACK_PACKAGE_CONTACT "The MaaS maintainers <maas@localhost>")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/PackageOptions.cmake)
set(CPACK_COMPONENTS_ALL server system libraries)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)

execute_process(COMMAND dpkg --print-architecture OUTPUT_VARIABLE MAAS_ARCHITECTURE
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(CPACK_PACKAGE_FILE_NAME maas-${MAAS_VERSION}-linux-${MAAS_ARCHITECTURE})
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Providers, collectors and databases that are spoken to by TLS.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(file conffiles postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/deploy/debian/${file})
endforeach()
include(CPack)
