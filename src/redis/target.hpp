#pragma once

#include <string>
#include <string_view>

namespace flashsale::redis {

/// What a URL names: where the server is, and the login.
struct target {
    std::string host;  ///< a name or a numeric address; empty for a unix socket
    std::string port = "6379";
    std::string path;  ///< of the unix socket; empty for TCP
    std::string user;
    std::string password;
    int database = 0;

    /// For logs: never the password.
    std::string name() const;
    /// The same as a URL, with *** for the password.
    std::string shown() const;
};

/// Throws std::invalid_argument, without the password in its text.
target parse_target(std::string_view url);

}  // namespace flashsale::redis
