#include "server.hpp"

#include <amqp.h>

#include <stdexcept>

namespace flashsale::amqp {

std::string server::name() const {
    return host + ":" + std::to_string(port) + (vhost == "/" ? "" : "/" + vhost);
}

server parse_url(std::string_view url) {
    constexpr const char* expected =
        "amqp url: expected amqp://[user[:password]@]host[:port][/vhost] (no TLS), special "
        "characters as %xx, the vhost '/' as %2f";
    if (!url.starts_with("amqp://")) throw std::invalid_argument(expected);
    std::string scratch(url);  // the library writes into it, and points there
    amqp_connection_info found{};
    if (amqp_parse_url(scratch.data(), &found) != AMQP_STATUS_OK || found.ssl || !*found.host ||
        found.port < 1 || found.port > 65'535)
        throw std::invalid_argument(expected);
    // "amqp://host/" names the vhost "" by the letter; nobody has one, and it is easily written.
    return {found.host, found.port, found.user, found.password, *found.vhost ? found.vhost : "/"};
}

}  // namespace flashsale::amqp
