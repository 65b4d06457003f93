#pragma once

// The character classes of RFC 9110 and RFC 3986 that this module checks itself.

#include <array>
#include <string_view>

namespace flashsale::http {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr bool is_letter_or_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr bool is_visible(char c) {
    return static_cast<unsigned char>(c - 0x21) < 0x7f - 0x21;
}

/// All of them; without a branch for each, so that it can go by many at a time.
constexpr bool are_visible(std::string_view text) {
    bool all = true;
    for (const char c : text)
        all &= is_visible(c);
    return all;
}

/// Of a field's value: all but controls, and the tabulator.
constexpr bool is_field_character(char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

/// Of a token: a field's name, a parameter's.
constexpr bool is_token_character(char c) {
    return is_letter_or_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// RFC 3986's unreserved.
constexpr bool is_unreserved(char c) {
    return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

}  // namespace flashsale::http
