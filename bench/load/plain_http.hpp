#pragma once

#include <string>

#include "load/connection.hpp"

namespace flashsale::bench {

struct plain_answer {
    unsigned status = 0;
    std::size_t bytes = 0;  ///< head and body
    std::string body;
};

/// One request on a connection of its own, blocking. Throws std::runtime_error.
class plain_http {
public:
    /// The io_context is never run; several may share one.
    plain_http(asio::io_context& io, const target& to);

    plain_answer send(std::string_view request);
    plain_answer get(std::string_view path);

private:
    std::string host_;
    asio::ip::tcp::socket socket_;
};

/// The value of a metric in the text that /metrics answers; 0 if it is not there.
std::int64_t metric_in(std::string_view text, std::string_view name);

}  // namespace flashsale::bench
