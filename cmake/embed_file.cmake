# Run by flashsale_embed() at build time. Pieces stay under the limits for one string literal.
file(READ "${SOURCE}" text)
string(LENGTH "${text}" length)
set(literal "")
set(offset 0)
while(offset LESS length)
    string(SUBSTRING "${text}" ${offset} 8000 piece)
    string(APPEND literal "    R\"__embed__(${piece})__embed__\"\n")
    math(EXPR offset "${offset} + 8000")
endwhile()
file(WRITE "${OUTPUT}" "// Generated from ${SOURCE}\n#include <string_view>\n\n"
    "namespace flashsale::embedded {\n"
    "extern const std::string_view ${SYMBOL};\n"
    "const std::string_view ${SYMBOL} =\n${literal}    ;\n}\n")
