#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashsale::http {

/// A request target in origin form or absolute form (RFC 9112, section 3.2); the other two forms
/// come back as a path that no route has.
struct request_target {
    std::string_view authority = {};  ///< of the absolute form, else empty
    std::string_view path = {};
    std::string_view query = {};
};

/// nullopt: an absolute form that is no http or https URI with a host and without user information.
std::optional<request_target> parse_target(std::string_view text);

/// Is `host`, a valid `host[:port]`, one of `hosts`? Those without a port stand for any port.
bool is_one_of(std::string_view host, const std::vector<std::string>& hosts);

}  // namespace flashsale::http
