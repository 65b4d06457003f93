#include <flashsale/base/json_fields.hpp>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <span>

namespace flashsale {

namespace json = boost::json;

namespace {

std::string integer_expectation(std::int64_t min, std::int64_t max) {
    return "an integer from " + std::to_string(min) + " to " + std::to_string(max);
}

std::string text_expectation(std::size_t bytes_min, std::size_t bytes_max) {
    return "a string of " + std::to_string(bytes_min) + " to " + std::to_string(bytes_max) +
           " bytes of UTF-8 without control characters";
}

bool has_control_characters(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
}

}  // namespace

json_fields::json_fields(const json::value& value) : object_(value.if_object()) {
    if (object_ == nullptr) fault("body", "a JSON object");
}

void json_fields::fault(std::string_view field, std::string expected) {
    if (!fault_) fault_ = field_fault{std::string(field), std::move(expected)};
}

const json::value* json_fields::find(std::string_view name, bool required) {
    assert(known_count_ < known_max);
    known_[known_count_++] = name;
    if (object_ == nullptr) return nullptr;
    const json::value* found = object_->if_contains(name);
    if (found == nullptr && required) fault(name, "this field is required");
    return found;
}

std::int64_t json_fields::integer(std::string_view name, std::int64_t min, std::int64_t max) {
    const json::value* found = find(name, true);
    if (found == nullptr) return 0;
    const std::int64_t* number = found->if_int64();
    if (number == nullptr || *number < min || *number > max) {
        fault(name, integer_expectation(min, max));
        return 0;
    }
    return *number;
}

std::optional<std::int64_t> json_fields::optional_integer(std::string_view name, std::int64_t min,
                                                          std::int64_t max) {
    const json::value* found = find(name, false);
    if (found == nullptr || found->is_null()) return std::nullopt;
    const std::int64_t* number = found->if_int64();
    if (number == nullptr || *number < min || *number > max) {
        fault(name, integer_expectation(min, max) + ", or null");
        return std::nullopt;
    }
    return *number;
}

std::string json_fields::text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max) {
    if (find(name, true) == nullptr) return {};
    --known_count_;
    auto found = optional_text(name, bytes_min, bytes_max);
    if (!found) fault(name, text_expectation(bytes_min, bytes_max));
    return found ? std::move(*found) : std::string{};
}

std::optional<std::string> json_fields::optional_text(std::string_view name, std::size_t bytes_min,
                                                      std::size_t bytes_max) {
    const json::value* found = find(name, false);
    if (found == nullptr || found->is_null()) return std::nullopt;
    const json::string* string = found->if_string();
    if (string == nullptr || string->size() < bytes_min || string->size() > bytes_max ||
        has_control_characters(*string) || !is_valid_utf8(*string)) {
        fault(name, text_expectation(bytes_min, bytes_max));
        return std::nullopt;
    }
    return std::string(*string);
}

std::string json_fields::any_text(std::string_view name) {
    const json::value* found = find(name, true);
    if (found == nullptr) return {};
    const json::string* string = found->if_string();
    if (string == nullptr) fault(name, "a string");
    return string == nullptr ? std::string{} : std::string(*string);
}

std::optional<timestamp> json_fields::optional_time(std::string_view name) {
    const json::value* found = find(name, false);
    if (found == nullptr || found->is_null()) return std::nullopt;
    std::optional<timestamp> time;
    if (const json::string* string = found->if_string()) time = parse_rfc3339(*string);
    if (!time) fault(name, "an RFC 3339 time such as 2026-11-27T09:00:00Z, or null");
    return time;
}

std::optional<bool> json_fields::optional_boolean(std::string_view name) {
    const json::value* found = find(name, false);
    if (found == nullptr || found->is_null()) return std::nullopt;
    const bool* value = found->if_bool();
    if (value == nullptr) {
        fault(name, "true, false, or null");
        return std::nullopt;
    }
    return *value;
}

std::optional<field_fault> json_fields::finish() {
    if (object_ == nullptr || fault_) return fault_;
    const auto known = std::span(known_).first(known_count_);
    for (const auto& member : *object_) {
        if (std::ranges::find(known, std::string_view(member.key())) != known.end()) continue;
        std::string expected = "no such field; known are";
        for (std::size_t i = 0; i < known.size(); ++i) {
            expected.append(i == 0 ? " " : ", ").append(known[i]);
        }
        fault(member.key(), std::move(expected));
        break;
    }
    return fault_;
}

std::size_t utf8_character_bytes(std::string_view text) {
    if (text.empty()) return 0;
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return 1;
    std::size_t length = 0;
    std::uint32_t point = 0;
    std::uint32_t smallest = 0;
    if ((lead & 0xe0) == 0xc0) {
        length = 2, point = lead & 0x1f, smallest = 0x80;
    } else if ((lead & 0xf0) == 0xe0) {
        length = 3, point = lead & 0x0f, smallest = 0x800;
    } else if ((lead & 0xf8) == 0xf0) {
        length = 4, point = lead & 0x07, smallest = 0x10000;
    } else {
        return 0;
    }
    if (text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) return 0;
        point = point << 6 | (next & 0x3f);
    }
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < smallest || point > 0x10ffff || surrogate ? 0 : length;
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t bytes = utf8_character_bytes(text);
        if (bytes == 0) return false;
        text.remove_prefix(bytes);
    }
    return true;
}

void append_json_string(std::string& out, std::string_view text) {
    constexpr char hex_digits[] = "0123456789abcdef";
    out.push_back('"');
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (byte < 0x20) {
            out.append("\\u00");
            out.push_back(hex_digits[byte >> 4]);
            out.push_back(hex_digits[byte & 0x0f]);
        } else if (byte < 0x80) {
            out.push_back(c);
        } else if (const std::size_t bytes = utf8_character_bytes(text.substr(at))) {
            out.append(text.substr(at, bytes));
            at += bytes - 1;
        } else {
            out.append(utf8_replacement);
        }
    }
    out.push_back('"');
}

namespace {

template <class Integer>
void append_any_integer(std::string& out, Integer value) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
}

}  // namespace

void append_integer(std::string& out, std::int64_t value) {
    append_any_integer(out, value);
}
void append_integer(std::string& out, std::uint64_t value) {
    append_any_integer(out, value);
}

}  // namespace flashsale
