# What goes into which package (CPack reads this for each of its generators).
if(CPACK_GENERATOR STREQUAL DEB)
  set(CPACK_COMPONENTS_ALL server system)
else()
  set(CPACK_COMPONENTS_ALL server libraries)
  set(CPACK_COMPONENT_INCLUDE_TOPLEVEL_DIRECTORY ON)
endif()
