#include <flashsale/base/url_text.hpp>

#include <algorithm>
#include <charconv>

namespace flashsale {

namespace {

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_host_text(std::string_view text) {
    constexpr std::size_t name_max = 253;
    if (text.empty() || text.size() > name_max) return false;
    // The % is that of a scope: fe80::1%eth0.
    const bool numeric6 = text.find(':') != std::string_view::npos;
    return std::ranges::all_of(text, [&](char c) {
        return is_alphanumeric(c) || c == '.' || c == '-' || c == '_' ||
               (numeric6 && (c == ':' || c == '%'));
    });
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
    return out;
}

std::optional<std::string> query_value_decoded(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out += text[at] == '+' ? ' ' : text[at];
            continue;
        }
        const std::string_view digits = text.substr(at + 1, 2);
        unsigned char byte = 0;
        const auto [end, fault] =
            std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (digits.size() != 2 || fault != std::errc{} || end != digits.data() + 2)
            return std::nullopt;
        out += static_cast<char>(byte);
        at += 2;
    }
    return out;
}

}  // namespace flashsale
