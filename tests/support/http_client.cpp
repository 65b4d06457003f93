#include "http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <stdexcept>

namespace flashsale::test {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

boost::json::value http_response::json() const {
    error_code fault;
    auto parsed = boost::json::parse(body, fault);
    if (fault) throw std::runtime_error("the body is no JSON: " + body);
    return parsed;
}

std::string http_response::header(const std::string& lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string{} : found->second;
}

std::string http_response::code() const {
    error_code fault;
    const auto parsed = boost::json::parse(body, fault);
    if (fault || !parsed.is_object()) return {};
    const auto* code = parsed.get_object().if_contains("code");
    return code != nullptr && code->is_string() ? std::string{code->get_string()} : std::string{};
}

struct http_client::state {
    std::string host;
    std::uint16_t port;
    std::chrono::milliseconds timeout;
    asio::io_context io{1};
    std::optional<beast::tcp_stream> stream{};
    beast::flat_buffer buffer{};

    /// Runs one asynchronous operation to its end; the stream's own deadline bounds it.
    error_code complete(const std::function<void(std::function<void(error_code)>)>& start) {
        error_code result;
        stream->expires_after(timeout);
        start([&result](error_code fault) { result = fault; });
        io.restart();
        io.run();
        return result;
    }

    void close() {
        stream.reset();
        buffer.clear();
    }

    [[noreturn]] void fail(const char* what, error_code fault) {
        close();
        throw std::runtime_error(std::string{what} + " " + host + ":" + std::to_string(port) +
                                 ": " + fault.message());
    }

    void open() {
        if (stream) return;
        stream.emplace(io);
        const asio::ip::tcp::endpoint to{asio::ip::make_address(host), port};
        const auto fault = complete(
            [&](auto done) { stream->async_connect(to, [done](error_code why) { done(why); }); });
        if (fault) fail("cannot connect to", fault);
        error_code ignored;
        stream->socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
    }

    /// An idle connection that the server has ended shows it as soon as one looks.
    bool ended() {
        if (!stream) return true;
        if (buffer.size() > 0) return false;
        error_code fault;
        auto& socket = stream->socket();
        socket.non_blocking(true, fault);
        char byte = 0;
        socket.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, fault);
        return fault && fault != asio::error::would_block;
    }
};

http_client::http_client(std::uint16_t port, std::string host, std::chrono::milliseconds timeout)
    : state_{std::make_unique<state>(std::move(host), port, timeout)} {}
http_client::~http_client() = default;
http_client::http_client(http_client&&) noexcept = default;
http_client& http_client::operator=(http_client&&) noexcept = default;

http_response http_client::get(std::string_view target, const headers& extra) {
    std::string request =
        "GET " + std::string{target} + " HTTP/1.1\r\nHost: " + state_->host + "\r\n";
    for (const auto& [name, value] : extra)
        request += name + ": " + value + "\r\n";
    return exchange(request + "\r\n");
}

http_response http_client::post(std::string_view target, const boost::json::value& body,
                                const headers& extra) {
    return post(target, std::string_view{boost::json::serialize(body)}, extra);
}

http_response http_client::post(std::string_view target, std::string_view body,
                                const headers& extra) {
    std::string request =
        "POST " + std::string{target} + " HTTP/1.1\r\nHost: " + state_->host + "\r\n";
    bool typed = false;
    for (const auto& [name, value] : extra) {
        request += name + ": " + value + "\r\n";
        typed = typed || beast::iequals(name, "content-type");
    }
    if (!typed) request += "Content-Type: application/json\r\n";
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    return exchange(request.append(body));
}

http_response http_client::exchange(const std::string& request) {
    if (state_->ended()) state_->close();
    send_raw(request);
    return read_response();
}

void http_client::send_raw(std::string_view bytes) {
    state_->open();
    const auto fault = state_->complete([&](auto done) {
        asio::async_write(*state_->stream, asio::buffer(bytes),
                          [done](error_code why, std::size_t) { done(why); });
    });
    // A server that answers early and closes is still to be heard.
    if (fault && fault != asio::error::broken_pipe && fault != asio::error::connection_reset) {
        state_->fail("cannot write to", fault);
    }
}

http_response http_client::read_response() {
    if (!state_->stream) throw std::runtime_error("no connection to read an answer from");
    beast::http::response_parser<beast::http::string_body> parser;
    parser.body_limit(64 * 1'024 * 1'024);
    const auto fault = state_->complete([&](auto done) {
        beast::http::async_read(*state_->stream, state_->buffer, parser,
                                [done](error_code why, std::size_t) { done(why); });
    });
    if (fault) state_->fail("no answer from", fault);
    const auto& message = parser.get();
    http_response answer;
    answer.status = message.result_int();
    for (const auto& field : message) {
        std::string name{field.name_string()};
        for (auto& c : name)
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        auto& value = answer.headers[name];
        value += (value.empty() ? "" : ", ") + std::string{field.value()};
    }
    answer.body = message.body();
    if (!message.keep_alive()) state_->close();
    return answer;
}

bool http_client::closed_by_server(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!state_->ended()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return true;
}

void http_client::close() {
    state_->close();
}

}  // namespace flashsale::test
