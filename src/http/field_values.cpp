#include "field_values.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>

#include "characters.hpp"

namespace flashsale::http {

namespace {

constexpr std::size_t idempotency_key_bytes_max = 255;
constexpr std::size_t request_name_bytes_max = 64;

bool iequals(std::string_view one, std::string_view other) {
    return boost::beast::iequals({one.data(), one.size()}, {other.data(), other.size()});
}

void skip_white_space(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::string_view take_token(std::string_view& text) {
    const auto end = std::ranges::find_if_not(text, is_token_character);
    const std::string_view token(text.begin(), end);
    text.remove_prefix(token.size());
    return token;
}

/// A token, or what is inside of a quoted string without escapes. nullopt: neither.
std::optional<std::string_view> take_value(std::string_view& text) {
    if (!text.starts_with('"')) {
        const std::string_view token = take_token(text);
        return token.empty() ? std::nullopt : std::optional(token);
    }
    const std::size_t end = text.find('"', 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return inside.find('\\') == std::string_view::npos ? std::optional(inside) : std::nullopt;
}

/// What follows the media type: *( OWS ";" OWS [ parameter ] ).
bool are_parameters_in_utf8(std::string_view text) {
    skip_white_space(text);
    while (!text.empty()) {
        if (text.front() != ';') return false;
        text.remove_prefix(1);
        skip_white_space(text);
        if (text.empty() || text.front() == ';') continue;
        const std::string_view name = take_token(text);
        if (name.empty() || !text.starts_with('=')) return false;
        text.remove_prefix(1);
        const auto value = take_value(text);
        if (!value) return false;
        if (iequals(name, "charset") && !iequals(*value, "utf-8")) return false;
        skip_white_space(text);
    }
    return true;
}

bool is_key(std::string_view text) {
    return !text.empty() && text.size() <= idempotency_key_bytes_max && are_visible(text);
}

/// `inside` of the quotes. False: an escape that there is not, or a quote without one.
bool unescape(std::string_view inside, std::string& out) {
    out.clear();
    for (std::size_t i = 0; i < inside.size(); ++i) {
        if (inside[i] == '"') return false;
        if (inside[i] == '\\' && (++i == inside.size() || (inside[i] != '"' && inside[i] != '\\')))
            return false;
        out.push_back(inside[i]);
    }
    return true;
}

}  // namespace

bool is_json_in_utf8(std::string_view content_type) {
    constexpr std::string_view json = "application/json";
    if (content_type == json) return true;
    return iequals(content_type.substr(0, json.size()), json) &&
           are_parameters_in_utf8(content_type.substr(json.size()));
}

bool is_request_name(std::string_view text) {
    return !text.empty() && text.size() <= request_name_bytes_max && are_visible(text);
}

std::optional<std::string_view> idempotency_key_in(std::string_view field, std::string& unescaped) {
    if (field.starts_with('"')) {
        if (field.size() < 2 || !field.ends_with('"')) return std::nullopt;
        field = field.substr(1, field.size() - 2);
        if (field.find_first_of("\"\\") != std::string_view::npos) {
            if (!unescape(field, unescaped)) return std::nullopt;
            field = unescaped;
        }
    }
    return is_key(field) ? std::optional(field) : std::nullopt;
}

}  // namespace flashsale::http
