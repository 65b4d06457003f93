#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace flashsale::test {

/// `scheme://user@host:PORT/…`: where PORT begins, and its length.
inline std::pair<std::size_t, std::size_t> port_in(const std::string& url) {
    const auto authority = url.find("://") + 3;
    const auto end = std::min(url.find('/', authority), url.size());
    const auto colon = url.rfind(':', end);
    return {colon + 1, end - colon - 1};
}

inline std::uint16_t port_of(const std::string& url) {
    const auto [at, size] = port_in(url);
    return static_cast<std::uint16_t>(std::stoi(url.substr(at, size)));
}

inline std::string with_port(std::string url, std::uint16_t port) {
    const auto [at, size] = port_in(url);
    return url.replace(at, size, std::to_string(port));
}

}  // namespace flashsale::test
