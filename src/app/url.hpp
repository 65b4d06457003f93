#pragma once

// Where a process listens, as people and programs write it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flashsale::app {

/// `http://127.0.0.1:8080`, `http://[::1]:8080`.
std::string url_of(std::string_view address, std::int64_t port);

struct http_endpoint {
    std::string host;  ///< a name or an address, without brackets
    std::string port;
};

/// Of `http://host[:port]`, with a path or without one, which does not matter here. nullopt:
/// anything else.
std::optional<http_endpoint> parse_http_url(std::string_view url);

/// `host:port` as it stands in a URL and in Host.
std::string authority_of(std::string_view host, std::string_view port);

}  // namespace flashsale::app
