#include "load/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace flashsale::bench {

std::expected<target, std::string> parse_target(std::string_view url) {
    const std::string quoted = "'" + std::string{url} + "'";
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) {
        return std::unexpected(quoted + " is no URL of the form http://host:port");
    }
    url.remove_prefix(scheme.size());
    if (url.ends_with('/')) url.remove_suffix(1);
    const auto colon = url.ends_with(']') ? std::string_view::npos : url.rfind(':');
    std::string_view host = url.substr(0, colon);
    const std::string port{colon == std::string_view::npos ? "80" : url.substr(colon + 1)};
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty() || port.empty() || url.find_first_of("/?#") != std::string_view::npos) {
        return std::unexpected(quoted + " is no URL of the form http://host:port");
    }
    asio::io_context io;
    asio::ip::tcp::resolver resolver{io};
    boost::system::error_code fault;
    const auto found = resolver.resolve(std::string{host}, port, fault);
    if (fault || found.empty()) {
        return std::unexpected("cannot resolve " + quoted + ": " + fault.message());
    }
    return target{found.begin()->endpoint(), std::string{url}};
}

connection::connection(asio::io_context& io, poller& readiness, const target& to, std::size_t index,
                       listener& heard)
    : io_{io}, poller_{readiness}, to_{to}, index_{index}, listener_{heard} {}

void connection::open() {
    close();
    waiting_ = true;
    since_ = clock::now();
    const auto& address = to_.address;
    socket_ = ::socket(address.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return give_up_later(errno);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, address.data(), static_cast<socklen_t>(address.size())) != 0 &&
        errno != EINPROGRESS) {
        return give_up_later(errno);
    }
    if (const auto fault = poller_.watch(socket_, *this)) give_up_later(fault.value());
}

void connection::ready(std::uint32_t epoll_events) {
    if (socket_ < 0) return;
    if (!open_) {
        if (waiting_) connected();
        return;
    }
    const auto epoch = epoch_;
    if ((epoll_events & EPOLLOUT) != 0 && !unsent_.empty()) write();
    if (epoch == epoch_ && (epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) {
        read();
    }
}

void connection::connected() {
    int fault = 0;
    socklen_t size = sizeof fault;
    getsockopt(socket_, SOL_SOCKET, SO_ERROR, &fault, &size);
    if (fault != 0) return give_up(std::strerror(fault));
    open_ = true;
    waiting_ = false;
    listener_.opened(*this);
}

void connection::send(std::string_view requests, std::size_t answers) {
    waiting_ = true;
    unanswered_ = answers;
    since_ = clock::now();
    unsent_ = requests;
    write();
}

void connection::write() {
    // A small request fits the socket's buffer nearly always: one system call.
    const auto sent = ::send(socket_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent >= 0) return unsent_.remove_prefix(static_cast<std::size_t>(sent));
    if (errno != EAGAIN && errno != EINTR) give_up_later(errno);
}

void connection::read() {
    const auto room = reader_.prepare();
    const auto bytes = ::recv(socket_, room.data(), room.size(), 0);
    if (bytes > 0) return received(static_cast<std::size_t>(bytes));
    if (bytes == 0) return give_up("End of file");
    if (errno != EAGAIN && errno != EINTR) give_up(std::strerror(errno));
}

void connection::give_up_later(int error) {
    asio::post(io_, [this, epoch = epoch_, error] {
        if (epoch == epoch_) give_up(std::strerror(error));
    });
}

void connection::received(std::size_t bytes) {
    reader_.commit(bytes);
    if (!waiting_) return give_up("the server sent what nobody asked for");
    if (take_answers()) read();  // edge-triggered: until nothing is left
}

bool connection::take_answers() {
    while (true) {
        switch (reader_.parse()) {
            case response_reader::state::need_more:
                return true;
            case response_reader::state::malformed:
                give_up("the answer is no HTTP/1.1 message with a Content-Length");
                return false;
            case response_reader::state::complete:
                break;
        }
        const bool complete = --unanswered_ == 0;
        if (complete) waiting_ = false;
        const auto epoch = epoch_;
        const bool last = reader_.close();
        if (last) open_ = false;  // so that the listener opens anew instead of sending
        listener_.answered(*this, reader_);
        if (epoch != epoch_) return false;  // it did, or closed
        if (last) {
            give_up("the server closed the connection before all was answered");
            return false;
        }
        reader_.consume();
        if (complete) break;
    }
    if (!reader_.empty()) give_up("the server sent more than the answers");
    return false;
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
    unsent_ = {};
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

}  // namespace flashsale::bench
