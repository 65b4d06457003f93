#include "server.hpp"

#include <amqp.h>

#include <algorithm>
#include <stdexcept>

#include <flashsale/amqp.hpp>
#include <flashsale/base/url_text.hpp>

namespace flashsale::amqp {

namespace {

/// In a short string of the protocol, with its length in one byte.
constexpr std::size_t vhost_max = 255;

/// The library would end a text there, silently.
bool has_zero(std::string_view url) {
    return url.find('\0') != std::string_view::npos || url.find("%00") != std::string_view::npos;
}

bool has_controls(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::string server::name() const {
    const std::string where = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return where + ":" + std::to_string(port) + (vhost == "/" ? "" : "/" + vhost);
}

std::string server::shown() const {
    const std::string where = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return "amqp://" + percent_encoded(user) + ":***@" + where + ":" + std::to_string(port) + "/" +
           percent_encoded(vhost);
}

server parse_url(std::string_view url) {
    constexpr const char* expected =
        "expected amqp://[user[:password]@]host[:port][/vhost], one host, without TLS and without "
        "parameters, special characters as %xx, the vhost '/' as %2f";
    if (!url.starts_with("amqp://") || has_zero(url)) throw std::invalid_argument(expected);
    std::string scratch(url);  // the library writes into it, and points there
    amqp_connection_info found{};
    if (amqp_parse_url(scratch.data(), &found) != AMQP_STATUS_OK || found.ssl ||
        !is_host_text(found.host) || found.port < 1 || found.port > 65'535)
        throw std::invalid_argument(expected);
    // "amqp://host/" names the vhost "" by the letter; no broker has one, and it is easily written.
    server out{found.host, found.port, found.user, found.password,
               *found.vhost ? found.vhost : "/"};
    if (out.vhost.size() > vhost_max || has_controls(out.vhost) || has_controls(out.user))
        throw std::invalid_argument(expected);
    return out;
}

std::expected<void, std::string> check_url(std::string_view url) {
    try {
        parse_url(url);
        return {};
    } catch (const std::invalid_argument& why) {
        return std::unexpected(why.what());
    }
}

std::string shown(std::string_view url) {
    try {
        return parse_url(url).shown();
    } catch (const std::invalid_argument&) {
        return "a URL that is not shown";
    }
}

}  // namespace flashsale::amqp
