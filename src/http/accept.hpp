#pragma once

#include <span>
#include <string_view>

namespace flashsale::http {

/// The one of `offers` that Accept likes best (RFC 9110, section 12.5.1), the first of those that
/// it likes the same. The first of all if it likes none: an answer of another type than was asked
/// for is of more use than a refusal. Ranges that are malformed are passed over, for there are
/// clients that send such with every request.
std::string_view preferred_type(std::string_view accept, std::span<const std::string_view> offers);

}  // namespace flashsale::http
