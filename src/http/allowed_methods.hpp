#pragma once

#include <flashsale/http.hpp>

namespace flashsale::http {

/// Methods as a set: a bit for each of those that routes have.
constexpr unsigned bit_of(method verb) {
    return 1u << static_cast<unsigned>(verb);
}
inline constexpr unsigned method_sets = 1u << static_cast<unsigned>(method::options);

/// As it stands in Allow, with HEAD and OPTIONS: `GET, HEAD, OPTIONS`. Outlives everything.
std::string_view allowed_methods(unsigned methods);

}  // namespace flashsale::http
