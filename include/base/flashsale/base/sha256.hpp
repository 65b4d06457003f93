#pragma once

#include <string>
#include <string_view>

namespace flashsale {

/// SHA-256 (FIPS 180-4) as 64 hexadecimal digits, lower case. For checksums, not for secrets.
std::string sha256_hex(std::string_view bytes);

}  // namespace flashsale
