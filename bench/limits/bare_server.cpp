#include "limits/bare_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <flashsale/base/async.hpp>
#include <memory>
#include <string>

namespace flashsale::bench {

namespace {

namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using tcp_acceptor = asio::basic_socket_acceptor<tcp, executor>;
using answer = http::response<http::string_body>;

answer make_answer(std::size_t bytes) {
    answer made{http::status::ok, 11};
    made.set(http::field::content_type, "application/json");
    std::size_t body = 0;
    // The length's own digits are part of the length.
    for (int round = 0; round < 3; ++round) {
        made.body().assign(body, 'x');
        made.prepare_payload();
        std::string head;
        for (const auto& field : made) {
            head.append(field.name_string()).append(": ").append(field.value()).append("\r\n");
        }
        const auto fixed = std::string_view{"HTTP/1.1 200 OK\r\n\r\n"}.size() + head.size();
        body = bytes > fixed ? bytes - fixed : 0;
    }
    return made;
}

class session : public std::enable_shared_from_this<session> {
public:
    session(tcp_socket socket, const answer& says) : socket_{std::move(socket)}, answer_{says} {}

    void read() {
        request_ = {};
        http::async_read(socket_, buffer_, request_,
                         [self = shared_from_this()](error_code fault, std::size_t) {
                             if (!fault) self->write();
                         });
    }

private:
    void write() {
        http::async_write(socket_, answer_,
                          [self = shared_from_this()](error_code fault, std::size_t) {
                              if (!fault && self->request_.keep_alive()) self->read();
                          });
    }

    tcp_socket socket_;
    const answer& answer_;
    boost::beast::flat_buffer buffer_;
    http::request<http::string_body> request_;
};

void accept(tcp_acceptor& from, const answer& says) {
    from.async_accept([&from, &says](error_code fault, tcp_socket socket) {
        if (!fault) {
            error_code ignored;
            socket.set_option(tcp::no_delay{true}, ignored);
            std::make_shared<session>(std::move(socket), says)->read();
        }
        accept(from, says);
    });
}

}  // namespace

void run_bare_server(std::uint16_t port, std::size_t answer_bytes,
                     const std::function<void(std::uint16_t)>& listening) {
    asio::io_context io{1};
    const auto says = make_answer(answer_bytes);
    tcp_acceptor acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), port}};
    listening(acceptor.local_endpoint().port());
    accept(acceptor, says);
    io.run();
}

}  // namespace flashsale::bench
