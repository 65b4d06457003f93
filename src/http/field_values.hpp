#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flashsale::http {

/// `application/json`, with no charset but UTF-8 (RFC 9110, section 8.3).
bool is_json_in_utf8(std::string_view content_type);

/// X-Request-Id as it is taken: 1 to 64 visible ASCII characters.
bool is_request_name(std::string_view text);

/// The key in an Idempotency-Key: as it stands, or what is inside of a structured field's string
/// (RFC 8941, section 3.3.3), where `unescaped` takes it if it has escapes. nullopt: not 1 to 255
/// visible ASCII characters, or no such string.
std::optional<std::string_view> idempotency_key_in(std::string_view field, std::string& unescaped);

}  // namespace flashsale::http
