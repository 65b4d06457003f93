# flashsale_embed(TARGET target SYMBOL name FILE path): makes the text of a file a
# `const std::string_view` with external linkage, declared by whoever includes it as
# `namespace flashsale::embedded { extern const std::string_view name; }`.

function(flashsale_embed)
    cmake_parse_arguments(PARSE_ARGV 0 embed "" "TARGET;SYMBOL;FILE" "")
    get_filename_component(source "${embed_FILE}" ABSOLUTE)
    set(generated "${CMAKE_CURRENT_BINARY_DIR}/embedded_${embed_SYMBOL}.cpp")
    add_custom_command(
        OUTPUT "${generated}"
        COMMAND "${CMAKE_COMMAND}" "-DSOURCE=${source}" "-DOUTPUT=${generated}"
            "-DSYMBOL=${embed_SYMBOL}" -P "${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake"
        DEPENDS "${source}" "${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake"
        VERBATIM)
    target_sources(${embed_TARGET} PRIVATE "${generated}")
endfunction()
