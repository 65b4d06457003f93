#include "download.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace flashsale::test {

struct download::state {
    ~state() { ::close(descriptor); }

    void connect(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // NOLINTNEXTLINE(*-reinterpret-cast): the socket API's own way.
        const auto* to = reinterpret_cast<const sockaddr*>(&address);
        if (descriptor < 0 || ::connect(descriptor, to, sizeof address) != 0) {
            throw std::runtime_error("download: cannot connect");
        }
    }

    void send(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) throw std::runtime_error("download: cannot send");
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    /// False: the connection has ended, in whatever way.
    bool receive() {
        pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, 60'000) != 1) throw std::runtime_error("download: nothing comes");
        std::array<char, 65'536> bytes;  // NOLINT(*-member-init)
        const ssize_t got = ::recv(descriptor, bytes.data(), bytes.size(), 0);
        if (got <= 0) return false;
        buffer.append(bytes.data(), static_cast<std::size_t>(got));
        return true;
    }

    int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    std::string head;
    std::string buffer;  ///< what has come and is not taken
    std::string chunk;   ///< what next() has given
    bool whole = false;
};

download::download(std::uint16_t port, const std::string& path, const http_client::headers& extra)
    : state_{std::make_unique<state>()} {
    std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\n";
    for (const auto& [name, value] : extra)
        request += name + ": " + value + "\r\n";
    state_->connect(port);
    state_->send(request + "\r\n");
    std::size_t end = 0;
    while ((end = state_->buffer.find("\r\n\r\n")) == std::string::npos) {
        if (!state_->receive()) throw std::runtime_error("download: no answer");
    }
    state_->head = state_->buffer.substr(0, end + 4);
    state_->buffer.erase(0, end + 4);
    if (state_->head.find("\r\nTransfer-Encoding: chunked\r\n") == std::string::npos) {
        throw std::runtime_error("download: not in chunks: " + state_->head);
    }
}

download::~download() = default;

unsigned download::status() const {
    return static_cast<unsigned>(std::stoi(state_->head.substr(9, 3)));
}

std::string_view download::next() {
    state& my = *state_;
    std::size_t line = 0;
    while ((line = my.buffer.find("\r\n")) == std::string::npos) {
        if (!my.receive()) return {};
    }
    const std::size_t bytes = std::stoul(my.buffer.substr(0, line), nullptr, 16);
    while (my.buffer.size() < line + 2 + bytes + 2) {
        if (!my.receive()) return {};
    }
    my.whole = bytes == 0;
    my.chunk = my.buffer.substr(line + 2, bytes);
    my.buffer.erase(0, line + 2 + bytes + 2);
    return my.chunk;
}

bool download::whole() const {
    return state_->whole;
}

}  // namespace flashsale::test
