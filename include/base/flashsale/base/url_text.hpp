#pragma once

// The pieces that URLs of any scheme share.

#include <optional>
#include <string>
#include <string_view>

namespace flashsale {

/// Whether it can be a host: a name or a numeric address without brackets. It is not resolved. What
/// a password left behind by a character that should have been written as %xx is none.
bool is_host_text(std::string_view text);

/// Everything but letters, digits and - . _ ~ as %xx.
std::string percent_encoded(std::string_view text);

/// A query's value as it was before its encoding, `+` being a space; nullopt: a % that begins no
/// %xx. What comes out may be any bytes.
std::optional<std::string> query_value_decoded(std::string_view text);

}  // namespace flashsale
