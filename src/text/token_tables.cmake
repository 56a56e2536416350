# Builds the token tables of the two encodings from the published lists and embeds them.
add_executable(token_table_generator text/generator/token_table_generator.cpp)
target_include_directories(token_table_generator PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(token_table_generator PRIVATE OpenSSL::Crypto ZLIB::ZLIB PkgConfig::XXHASH maas_flags)
# It runs while building, where a sanitizer's run-time may not work (ThreadSanitizer and ASLR).
target_compile_options(token_table_generator PRIVATE -O2 -fno-sanitize=all)
target_link_options(token_table_generator PRIVATE -fno-sanitize=all)

function(embed_tokens encoding sha256)
  set(list ${TIKTOKEN_DIR}/${encoding}.tiktoken.gz)
  set(table ${CMAKE_CURRENT_BINARY_DIR}/${encoding}.tokens)
  add_custom_command(OUTPUT ${table}
    COMMAND token_table_generator ${list} ${sha256} ${table}
    DEPENDS token_table_generator ${list}
    COMMENT "Building the token table ${encoding}" VERBATIM)
  embed(maas_text maas_${encoding}_tokens ${table})
endfunction()

embed_tokens(cl100k_base 223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7)
embed_tokens(o200k_base 446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d)
