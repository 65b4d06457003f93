#include "tcp_gate.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace flashsale::postgres::test {

namespace {

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &address.sin_addr);
    return address;
}

/// False: one of them is gone.
bool forward(int from, int to) {
    char bytes[65536];
    const auto size = ::recv(from, bytes, sizeof bytes, 0);
    for (ssize_t sent = 0; sent < size;) {
        const auto n =
            ::send(to, bytes + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
        if (n <= 0) return false;
        sent += n;
    }
    return size > 0;
}

void set_no_delay(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

tcp_gate::tcp_gate(std::string host, std::uint16_t port)
    : host_(std::move(host)), server_port_(port) {
    listen();
    thread_ = std::thread([this] { run(); });
}

tcp_gate::~tcp_gate() {
    stopping_ = true;
    thread_.join();
    close();
}

void tcp_gate::listen() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    auto address = address_of("127.0.0.1", port_);
    // NOLINTNEXTLINE: the sockets API wants this cast
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
        throw std::runtime_error("tcp_gate cannot listen");
    }
    port_ = ntohs(address.sin_port);
}

void tcp_gate::cut() {
    const std::lock_guard lock(mutex_);
    for (const auto& [client, server] : pairs_) {
        ::close(client);
        ::close(server);
    }
    pairs_.clear();
}

void tcp_gate::close() {
    {
        const std::lock_guard lock(mutex_);
        if (listener_ >= 0) ::close(listener_);
        listener_ = -1;
    }
    cut();
}

void tcp_gate::open() {
    const std::lock_guard lock(mutex_);
    if (listener_ < 0) listen();
}

void tcp_gate::accept_one() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = address_of(host_, server_port_);
    // NOLINTNEXTLINE: the sockets API wants this cast
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(client);
        ::close(server);
        return;
    }
    set_no_delay(client);
    set_no_delay(server);
    pairs_.push_back({client, server});
}

void tcp_gate::run() {
    while (!stopping_) {
        std::this_thread::sleep_for(std::chrono::microseconds(50));  // lets others have the mutex
        const std::lock_guard lock(mutex_);
        std::vector<pollfd> watched{{listener_, POLLIN, 0}};
        for (const auto& [client, server] : pairs_) {
            watched.push_back({hold_requests_ ? -1 : client, POLLIN, 0});
            watched.push_back({hold_replies_ ? -1 : server, POLLIN, 0});
        }
        if (::poll(watched.data(), watched.size(), 2) <= 0) continue;
        std::vector<pair> kept;
        for (std::size_t i = 0; i < pairs_.size(); ++i) {
            const auto [client, server] = pairs_[i];
            const bool alive = (!watched[2 * i + 1].revents || forward(client, server)) &&
                               (!watched[2 * i + 2].revents || forward(server, client));
            if (alive) {
                kept.push_back(pairs_[i]);
                continue;
            }
            ::close(client);
            ::close(server);
        }
        pairs_ = std::move(kept);
        if (watched[0].revents) accept_one();
    }
}

}  // namespace flashsale::postgres::test
