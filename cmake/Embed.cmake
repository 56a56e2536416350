# embed(<target> <symbol> <file>): puts the bytes of <file> into <target>, read-only, as
#   extern "C" const unsigned char <symbol>[], <symbol>_end[];
function(embed target symbol file)
  set(assembly ${CMAKE_CURRENT_BINARY_DIR}/${symbol}.S)
  file(CONFIGURE OUTPUT ${assembly} CONTENT [[
    .section .rodata
    .balign 64
    .global @symbol@
    .global @symbol@_end
@symbol@:
    .incbin "@file@"
@symbol@_end:
    .byte 0
    .section .note.GNU-stack,"",%progbits
]] @ONLY)
  set_source_files_properties(${assembly} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${assembly})
endfunction()
