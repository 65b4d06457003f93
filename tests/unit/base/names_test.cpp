#include <flashsale/base/names.hpp>

#include <catch2/catch.hpp>

#include <cstdio>

using namespace flashsale;

namespace {

std::string utf8(char32_t point) {
    const auto byte = [](char32_t bits) { return static_cast<char>(bits); };
    if (point < 0x80) return {byte(point)};
    if (point < 0x800) return {byte(0xc0 | point >> 6), byte(0x80 | (point & 0x3f))};
    if (point < 0x10000)
        return {byte(0xe0 | point >> 12), byte(0x80 | (point >> 6 & 0x3f)),
                byte(0x80 | (point & 0x3f))};
    return {byte(0xf0 | point >> 18), byte(0x80 | (point >> 12 & 0x3f)),
            byte(0x80 | (point >> 6 & 0x3f)), byte(0x80 | (point & 0x3f))};
}

std::string repeated(std::string_view text, int times) {
    std::string out;
    for (; times > 0; --times)
        out += text;
    return out;
}

std::string username_fault(std::string_view text) {
    return fault_of_name(text, username_rules).value_or("");
}
std::string product_fault(std::string_view text) {
    return fault_of_name(text, product_name_rules).value_or("");
}

bool says(const std::string& fault, std::string_view what) {
    INFO(fault);
    return fault.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("names: what people are called, and what shops sell") {
    for (const char* name : {"ada", "Ada Lovelace", "Zoë", "O’Neil", "ada+1@example.org", "李小龍",
                             "Οδυσσεύς", "עדה", "أدا", "शक्ति", "😀", "ﬁn", "Ａｄａ", "a_b-c.d"}) {
        INFO(name);
        CHECK(username_fault(name) == "");
        CHECK(product_fault(name) == "");
    }
    for (const char* name :
         {"Lampe\u00a05\u202fW", "全角\u3000空白", "½ pint", "Schuh “Größe 42” №7"}) {
        INFO(name);
        CHECK(product_fault(name) == "");
    }
}

TEST_CASE(
    "names: a character that nobody can see, or that means nothing, is refused by its number") {
    const std::pair<char32_t, const char*> refused[] = {
        {0x00, "control"},        {0x09, "control"},         {0x1b, "control"},
        {0x7f, "control"},        {0x85, "control"},         {0xad, "invisible"},
        {0x34f, "invisible"},     {0x61c, "direction"},      {0x115f, "invisible"},
        {0x180e, "invisible"},    {0x200b, "invisible"},     {0x200c, "invisible"},
        {0x200d, "invisible"},    {0x200e, "direction"},     {0x2028, "ends a line"},
        {0x2029, "ends a line"},  {0x202a, "direction"},     {0x202e, "direction"},
        {0x2060, "invisible"},    {0x2066, "direction"},     {0x2069, "direction"},
        {0x2800, "invisible"},    {0x3164, "invisible"},     {0xfe00, "invisible"},
        {0xfe0f, "invisible"},    {0xfeff, "invisible"},     {0xffa0, "invisible"},
        {0xfff9, "invisible"},    {0xfffe, "no character"},  {0xffff, "no character"},
        {0xfdd0, "no character"}, {0x1fffe, "no character"}, {0x10ffff, "no character"},
        {0x378, "not assigned"},  {0xe0080, "not assigned"}, {0xe000, "private"},
        {0xf0000, "private"},     {0x1d173, "invisible"},    {0xe0001, "invisible"},
        {0xe0067, "invisible"},   {0xe0100, "invisible"},
    };
    for (const auto& [point, why] : refused) {
        char number[16];
        std::snprintf(number, sizeof number, "U+%04X", static_cast<unsigned>(point));
        INFO(number);
        const std::string name = "ad" + utf8(point) + "a";
        for (const std::string& fault : {username_fault(name), product_fault(name)}) {
            CHECK(says(fault, why));
            CHECK(says(fault, std::string("character 3, ") + number));
        }
        CHECK(username_fault(utf8(point)) != "");
        CHECK(product_fault(utf8(point)) != "");
    }
    CHECK(says(username_fault("a\xed\xa0\x80"), "no UTF-8"));  // a surrogate
    CHECK(says(username_fault("a\xff"), "character 2 is no UTF-8"));
}

TEST_CASE("names: blank, and white space at an end, are refused") {
    for (const char* blank : {"", " ", "   ", "\u00a0", "\u3000", "\u0301", " \u0301"}) {
        INFO(blank);
        CHECK(username_fault(blank) != "");
        CHECK(product_fault(blank) != "");
    }
    CHECK(says(product_fault("\u3000"), "blank"));
    for (const char* space : {" ", "\u00a0", "\u2003", "\u202f", "\u3000"}) {
        CHECK(says(product_fault(std::string(space) + "a"), "begins with white space"));
        CHECK(says(product_fault(std::string("a") + space), "ends with white space"));
    }
    CHECK(says(username_fault(" a"), "begins with white space"));
    CHECK(says(username_fault("a "), "ends with white space"));
    CHECK(says(username_fault("a\u00a0b"), "not the usual space"));
}

TEST_CASE("names: limits count characters, not bytes") {
    CHECK(username_fault(repeated("é", 100)) == "");
    CHECK(username_fault(repeated("😀", 100)) == "");
    CHECK(says(username_fault(repeated("é", 101)), "it has 101 characters"));
    CHECK(product_fault(repeated("😀", 200)) == "");
    CHECK(says(product_fault(repeated("a", 201)), "it has 201 characters"));
    // U+FDFA becomes eighteen characters: more than an index can have as a key.
    CHECK(username_fault(repeated("\ufdfa", 40)) == "");
    CHECK(says(username_fault(repeated("\ufdfa", 100)), "too long in the form"));
    CHECK(product_fault(repeated("\ufdfa", 200)) == "");
}

TEST_CASE("names: what shapes its neighbours may be in a product's name, not in a user's") {
    for (const char* name :
         {"I \u2764\ufe0f NY",                                        // a red heart
          "\U0001f468\u200d\U0001f469\u200d\U0001f467",               // a family
          "\U0001f469\U0001f3fd\u200d\U0001f680",                     // with a skin
          "\U0001f3f3\ufe0f\u200d\U0001f308",                         // a flag of many colours
          "1\ufe0f\u20e3", "\u2764\ufe0e",                            // a keycap; a heart as text
          "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",         // Persian
          "\u0915\u094d\u200d\u0937", "\u0915\u094d\u200c\u0937"}) {  // after a virama
        INFO(name);
        CHECK(product_fault(name) == "");
        CHECK(says(username_fault(name), "is invisible"));
    }
    for (const char* name :
         {"a\u200db", "\U0001f468\u200d", "\u200d\U0001f468", "\U0001f468\u200da",
          "a\u200d\U0001f468", "1\ufe0f", "a\ufe0f", "\u2764\ufe0f\ufe0f", "\u0645\u200c",
          "\u200c\u0645", "\u0645\u200ca", "\u0627\u200c\u0627"}) {
        INFO(name);
        CHECK(says(product_fault(name), "is invisible"));
    }
}

TEST_CASE("names: two usernames are one if they differ in case or form alone") {
    const auto same = [](std::string_view a, std::string_view b) {
        return compared_form(a) == compared_form(b);
    };
    CHECK(compared_form("ada lovelace") == "ada lovelace");
    CHECK(compared_form("Ada Lovelace") == "ada lovelace");
    CHECK(same("Zo\u00eb", "ZOE\u0308"));  // composed or not
    CHECK(same("Ａｄａ", "ada"));          // full width
    CHECK(same("\ufb01n", "FIN"));         // a ligature
    CHECK(same("stra\u00dfe", "STRASSE"));
    CHECK(same("\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
               "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3"));
    CHECK(same("\u212bngstr\u00f6m", "\u00e5ngstr\u00f6m"));
    CHECK(same("a  b", "a b"));
    CHECK_FALSE(same("ada", "eda"));
    CHECK_FALSE(same("ab", "a b"));
    CHECK_FALSE(same("\u0430da", "ada"));  // a Cyrillic letter is another letter
    CHECK(same("a\u200bda", "ada"));       // so it is looked at before
}
