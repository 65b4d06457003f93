#pragma once

// The pieces that URLs of any scheme share.

#include <string>
#include <string_view>

namespace flashsale {

/// Whether it can be a host: a name or a numeric address without brackets. It is not resolved. What
/// a password left behind by a character that should have been written as %xx is none.
bool is_host_text(std::string_view text);

/// Everything but letters, digits and - . _ ~ as %xx.
std::string percent_encoded(std::string_view text);

}  // namespace flashsale
