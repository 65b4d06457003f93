#pragma once

#include <string>
#include <string_view>

namespace flashsale::amqp {

/// What a URL names.
struct server {
    std::string host;
    int port = 0;
    std::string user;
    std::string password;
    std::string vhost;

    /// For logs: never the password.
    std::string name() const;
    /// The same as a URL, with *** for the password.
    std::string shown() const;
};

/// Throws std::invalid_argument, without the password in its text.
server parse_url(std::string_view url);

}  // namespace flashsale::amqp
