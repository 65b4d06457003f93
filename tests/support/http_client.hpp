#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flashsale::test {

struct http_response {
    unsigned status = 0;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;

    /// The body as JSON; throws if it is none.
    boost::json::value json() const;
    /// A header's value, empty if there is none.
    std::string header(const std::string& lower_case_name) const;
    /// `code` of a problem document, empty if there is none.
    std::string code() const;
};

/// One blocking keep-alive connection; opens it when it must, also after the server closed it.
/// Every call ends within the timeout. Throws std::runtime_error when there is no answer. Not for
/// several threads at once; movable into one.
class http_client {
public:
    using headers = std::vector<std::pair<std::string, std::string>>;

    explicit http_client(std::uint16_t port, std::string host = "127.0.0.1",
                         std::chrono::milliseconds timeout = std::chrono::seconds{30});
    ~http_client();
    http_client(http_client&&) noexcept;
    http_client& operator=(http_client&&) noexcept;

    http_response get(std::string_view target, const headers& extra = {});
    /// Content-Type: application/json, unless `extra` has one.
    http_response post(std::string_view target, const boost::json::value& body,
                       const headers& extra = {});
    http_response post(std::string_view target, std::string_view body, const headers& extra = {});
    http_response post(std::string_view target, const char* body, const headers& extra = {}) {
        return post(target, std::string_view{body}, extra);
    }

    /// Sends bytes as they are, on the connection as it is; opens it if there is none.
    void send_raw(std::string_view bytes);
    /// Reads the next answer: once for each request in what send_raw sent.
    http_response read_response();
    /// Whether the server has ended the connection (or there is none), after at most `limit`.
    /// Bytes that were not asked for count as an open connection.
    bool closed_by_server(std::chrono::milliseconds limit);
    void close();

private:
    http_response exchange(const std::string& request);

    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace flashsale::test
