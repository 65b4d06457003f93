#include "url.hpp"

#include <charconv>

namespace flashsale::app {

std::string authority_of(std::string_view host, std::string_view port) {
    const bool is_v6 = host.find(':') != std::string_view::npos;
    std::string out = is_v6 ? "[" : "";
    for (const char c : host) {
        // The zone of a link-local address (RFC 6874).
        c == '%' && is_v6 ? out.append("%25") : out.append(1, c);
    }
    return out.append(is_v6 ? "]:" : ":").append(port);
}

std::string url_of(std::string_view address, std::int64_t port) {
    return "http://" + authority_of(address, std::to_string(port));
}

namespace {

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

}  // namespace

std::optional<http_endpoint> parse_http_url(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) return std::nullopt;
    url.remove_prefix(scheme.size());
    const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
    if (authority.find('@') != std::string_view::npos) return std::nullopt;
    http_endpoint found;
    std::string_view rest;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        found.host = authority.substr(1, end - 1);
        if (const auto zone = found.host.find("%25"); zone != std::string::npos) {
            found.host.erase(zone + 1, 2);
        }
        if (found.host.find(':') == std::string::npos) return std::nullopt;
        rest = authority.substr(end + 1);
    } else {
        const auto colon = authority.find(':');
        found.host = authority.substr(0, colon);
        if (colon != std::string_view::npos) rest = authority.substr(colon);
    }
    if (found.host.empty() || (!rest.empty() && rest.front() != ':')) return std::nullopt;
    // An empty port is the default one (RFC 3986, section 3.2.3).
    found.port = rest.size() > 1 ? rest.substr(1) : "80";
    if (!is_port(found.port)) return std::nullopt;
    return found;
}

}  // namespace flashsale::app
