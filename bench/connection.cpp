#include "connection.hpp"

#include <boost/asio/write.hpp>

namespace flashsale::bench {

std::expected<target, std::string> parse_target(std::string_view url) {
    const std::string quoted = "'" + std::string{url} + "'";
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) {
        return std::unexpected(quoted + " is no URL of the form http://host:port");
    }
    url.remove_prefix(scheme.size());
    if (url.ends_with('/')) url.remove_suffix(1);
    const auto colon = url.rfind(':');
    const std::string host{url.substr(0, colon)};
    const std::string port{colon == std::string_view::npos ? "80" : url.substr(colon + 1)};
    if (host.empty() || port.empty() || url.find_first_of("/?#") != std::string_view::npos) {
        return std::unexpected(quoted + " is no URL of the form http://host:port");
    }
    asio::io_context io;
    asio::ip::tcp::resolver resolver{io};
    boost::system::error_code fault;
    const auto found = resolver.resolve(host, port, fault);
    if (fault || found.empty()) {
        return std::unexpected("cannot resolve " + quoted + ": " + fault.message());
    }
    return target{found.begin()->endpoint(), std::string{url}};
}

connection::connection(asio::io_context& io, const target& to, std::size_t index, listener& heard)
    : io_{io}, to_{to}, index_{index}, listener_{heard}, socket_{io.get_executor()} {}

void connection::open() {
    close();
    waiting_ = true;
    since_ = clock::now();
    socket_.async_connect(to_.address, [this, epoch = epoch_](boost::system::error_code fault) {
        if (epoch != epoch_) return;
        if (fault) return give_up(fault.message());
        boost::system::error_code ignored;
        socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
        socket_.non_blocking(true, ignored);
        open_ = true;
        waiting_ = false;
        read();
        listener_.opened(*this);
    });
}

void connection::send(std::string_view request) {
    waiting_ = true;
    since_ = clock::now();
    // A small request fits the socket's buffer nearly always: one system call, no handler.
    boost::system::error_code fault;
    const auto sent = socket_.write_some(asio::buffer(request), fault);
    if (fault == asio::error::would_block) fault = {};
    if (!fault && sent == request.size()) return;
    const auto rest = request.substr(sent);
    const auto written = [this, epoch = epoch_](boost::system::error_code why, std::size_t) {
        if (epoch == epoch_ && why) give_up(why.message());
    };
    if (!fault) {
        asio::async_write(socket_, asio::buffer(rest), written);
    } else {
        // Never from within send: the caller has not finished its own step.
        asio::post(io_, [written, fault] { written(fault, 0); });
    }
}

void connection::read() {
    const auto room = reader_.prepare();
    socket_.async_read_some(
        asio::buffer(room.data(), room.size()),
        [this, epoch = epoch_](boost::system::error_code fault, std::size_t bytes) {
            if (epoch != epoch_) return;
            if (fault) return give_up(fault.message());
            received(bytes);
        });
}

void connection::received(std::size_t bytes) {
    reader_.commit(bytes);
    if (!waiting_) return give_up("the server sent what nobody asked for");
    switch (reader_.parse()) {
        case response_reader::state::need_more:
            return read();
        case response_reader::state::malformed:
            return give_up("the answer is no HTTP/1.1 message with a Content-Length");
        case response_reader::state::complete:
            break;
    }
    waiting_ = false;
    const auto epoch = epoch_;
    const bool last = reader_.close();
    if (last) open_ = false;  // so that the listener opens anew instead of sending
    listener_.answered(*this, reader_);
    if (epoch != epoch_) return;  // it did, or closed
    if (last) return close();
    // After the listener's send, so that the first attempt to read is not always in vain.
    reader_.consume();
    if (!reader_.empty()) return give_up("the server sent more than the answer");
    read();
}

void connection::give_up(std::string_view why) {
    const bool told = waiting_;
    const std::string reason{why};
    close();
    if (told) listener_.broken(*this, reason);
}

void connection::close() {
    ++epoch_;
    open_ = waiting_ = false;
    reader_.reset();
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace flashsale::bench
