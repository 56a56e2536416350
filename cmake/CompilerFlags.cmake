# What every target of ours compiles with: our warnings and, where a preset asks, sanitizers.
add_library(maas_flags INTERFACE)
target_compile_options(maas_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105329: wrong about "literal" + std::string when optimizing.
  target_compile_options(maas_flags INTERFACE -Wno-restrict)
endif()
if(MAAS_WERROR)
  target_compile_options(maas_flags INTERFACE -Werror)
endif()
if(MAAS_SANITIZE)
  add_compile_options(-fsanitize=${MAAS_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MAAS_SANITIZE})
  # Sanitizers' instrumentation misleads this analysis; the release build has it.
  target_compile_options(maas_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  if(MAAS_SANITIZE MATCHES thread)
    # GCC says that TSan does not model atomic_thread_fence; Asio uses it only where a mutex stands too.
    add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  endif()
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_link_options(-Wl,--gc-sections -Wl,--as-needed)
  add_compile_options(-ffunction-sections -fdata-sections)
endif()
