#include <catch2/catch.hpp>
#include <flashsale/http/csv.hpp>

using flashsale::http::csv_line;

namespace {

std::string line_of(std::string_view text) {
    std::string out;
    csv_line(out).text(text).integer(-7).text("z");
    return out;
}

}  // namespace

TEST_CASE("csv: a line has commas between its fields and CR LF at its end") {
    CHECK(line_of("Lamp") == "Lamp,-7,z\r\n");
    CHECK(line_of("") == ",-7,z\r\n");
}

TEST_CASE("csv: what would not be one field is in quotes") {
    CHECK(line_of("a,b") == "\"a,b\",-7,z\r\n");
    CHECK(line_of("a\"b\"") == "\"a\"\"b\"\"\",-7,z\r\n");
    CHECK(line_of("\"") == "\"\"\"\",-7,z\r\n");
    CHECK(line_of("a\r\nb") == "\"a\r\nb\",-7,z\r\n");
    CHECK(line_of(" a") == "\" a\",-7,z\r\n");
    CHECK(line_of("a ") == "\"a \",-7,z\r\n");
    CHECK(line_of("a b; c'd") == "a b; c'd,-7,z\r\n");
}

TEST_CASE("csv: no text is a formula to a spreadsheet, and a number stays one") {
    for (const std::string text :
         {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "-2+3+cmd|' /C calc'!A0"}) {
        INFO(text);
        CHECK(line_of(text) == "'" + text + ",-7,z\r\n");
    }
    CHECK(line_of("\r=1") == "\"'\r=1\",-7,z\r\n");
    CHECK(line_of("=A,\"B\"") == "\"'=A,\"\"B\"\"\",-7,z\r\n");
    CHECK(line_of("a=1") == "a=1,-7,z\r\n");
}
