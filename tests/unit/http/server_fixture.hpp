#pragma once

// A real server on a loopback port of its own, and a client that sees bytes.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <condition_variable>
#include <flashsale/http.hpp>
#include <future>

#include "metrics.hpp"

namespace flashsale::http {

using namespace std::chrono_literals;

/// Longer than anything takes on a busy machine; only a failing test waits for it.
inline constexpr auto patience = 60s;

template <class Condition>
bool eventually(Condition holds) {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

struct received {
    unsigned status = 0;
    std::string head;
    std::string body;
    int chunks = 0;  ///< the last one too

    bool has(std::string_view header_line) const {
        return head.find("\r\n" + std::string(header_line) + "\r\n") != std::string::npos;
    }
    /// A header's value, empty if there is none.
    std::string header(std::string_view name) const {
        const auto at = head.find("\r\n" + std::string(name) + ": ");
        if (at == std::string::npos) return {};
        const auto value = at + name.size() + 4;
        return head.substr(value, head.find("\r\n", value) - value);
    }
    std::string code() const {
        return std::string(boost::json::parse(body).at("code").as_string());
    }
};

class client {
public:
    explicit client(std::uint16_t port, int receive_buffer_bytes = 0)
        : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        REQUIRE(fd_ >= 0);
        if (receive_buffer_bytes != 0) {
            ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                         sizeof receive_buffer_bytes);
        }
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (port != 0) connect(port);
    }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() { close(); }

    void connect(std::uint16_t port) { REQUIRE(try_connect(port)); }
    bool try_connect(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // NOLINTNEXTLINE(*-reinterpret-cast): the socket API's own way.
        return ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }

    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    void end_sending() { ::shutdown(fd_, SHUT_WR); }

    /// False once the server has gone.
    bool send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void get(std::string_view path, std::string_view headers = {}) {
        REQUIRE(send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" +
                     std::string(headers) + "\r\n"));
    }

    /// Is there anything to read, the end included, within the time?
    bool readable(std::chrono::milliseconds within) {
        pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
        return ::poll(&waiting, 1, static_cast<int>(within.count())) == 1;
    }

    /// The next answer; status 0 at the end of the stream.
    received answer(bool has_body = true) {
        std::size_t end = 0;
        while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
            if (!more()) return {};
        }
        received result;
        result.head = buffer_.substr(0, end + 4);
        result.status = static_cast<unsigned>(std::stoi(result.head.substr(9, 3)));
        buffer_.erase(0, end + 4);
        std::size_t bytes = 0;
        if (const auto at = result.head.find("Content-Length: "); at != std::string::npos) {
            bytes = std::stoul(result.head.substr(at + 16));
        }
        if (!has_body) return result;
        if (result.has("Transfer-Encoding: chunked")) return chunks(std::move(result));
        while (buffer_.size() < bytes) {
            if (!more()) return {};
        }
        result.body = buffer_.substr(0, bytes);
        buffer_.erase(0, bytes);
        return result;
    }

    /// What comes until the server closes; `broken`: with a reset.
    std::string rest(bool& broken) {
        while (more()) {
        }
        broken = broken_;
        return std::exchange(buffer_, {});
    }
    /// So many bytes of what comes.
    std::string take(std::size_t bytes) {
        while (buffer_.size() < bytes && more()) {
        }
        const std::string taken = buffer_.substr(0, bytes);
        buffer_.erase(0, bytes);
        return taken;
    }

    /// Nothing more came, and the server has closed.
    bool ended() { return !more() && buffer_.empty(); }

    /// How many pieces have been received. What the server wrote at once comes in one.
    int reads() const { return reads_; }

private:
    bool more() {
        if (!readable(std::chrono::duration_cast<std::chrono::milliseconds>(patience)))
            return false;
        std::array<char, 65'536> bytes;  // NOLINT(*-member-init)
        const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
        broken_ = got < 0;
        if (got <= 0) return false;
        ++reads_;
        buffer_.append(bytes.data(), static_cast<std::size_t>(got));
        return true;
    }

    /// The body, up to its last chunk; status 0 if it ends before.
    received chunks(received result) {
        while (true) {
            std::size_t end = 0;
            while ((end = buffer_.find("\r\n")) == std::string::npos) {
                if (!more()) return {};
            }
            const std::size_t bytes = std::stoul(buffer_.substr(0, end), nullptr, 16);
            while (buffer_.size() < end + 2 + bytes + 2) {
                if (!more()) return {};
            }
            result.body += buffer_.substr(end + 2, bytes);
            ++result.chunks;
            buffer_.erase(0, end + 2 + bytes + 2);
            if (bytes == 0) return result;
        }
    }

    int fd_;
    bool broken_ = false;
    int reads_ = 0;
    std::string buffer_;
};

/// The start of a POST to /echo, whose length or Transfer-Encoding comes next.
inline constexpr std::string_view post_echo =
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

/// Routes: /plain answers at once; /hold keeps its exchange until the test answers it; /stream
/// answers what the test says; /big answers a megabyte; /client who asks; /person/… and
/// /catalogue/… may be kept by caches; /drop forgets its exchange; /throw throws; POST and PATCH
/// /echo answer the body.
class running_server {
public:
    explicit running_server(limits bounds = {}, std::size_t threads = 1) : bounds_(bounds) {
        std::vector<worker> workers;
        for (std::size_t i = 0; i < threads; ++i) {
            ios_.push_back(std::make_unique<asio::io_context>(1));
            routes_.push_back(std::make_unique<router>(5s));
            add_routes(i);
            workers.push_back({*ios_[i], *routes_[i]});
        }
        server_.emplace("127.0.0.1", 0, bounds_, std::move(workers));
        server_->start();
        for (const auto& io : ios_)
            threads_.emplace_back([&io] { io->run(); });
    }
    ~running_server() { end(); }
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;

    std::uint16_t port() const { return server_->port(); }
    server& it() { return *server_; }

    /// As the process ends: what is left is aborted, and the threads run out of work by themselves.
    void end() {
        if (threads_.empty()) return;
        server_->abort();
        for (auto& thread : threads_)
            thread.join();
        threads_.clear();
    }

    /// Runs on the first worker's thread and waits for it.
    template <class F>
    auto on_worker(F function) {
        std::packaged_task<decltype(function())()> task(std::move(function));
        auto done = task.get_future();
        asio::post(*ios_[0], std::move(task));
        REQUIRE(done.wait_for(patience) == std::future_status::ready);
        return done.get();
    }

    bool holds(std::size_t exchanges) {
        return eventually([&] { return on_worker([&] { return held.size(); }) == exchanges; });
    }
    void answer_held(std::vector<std::size_t> order) {
        on_worker([&] {
            for (const std::size_t i : order) {
                held.at(i).answer({.status = 200, .body = std::to_string(i)});
            }
            return true;
        });
    }
    std::vector<exchange> take_held() {
        return on_worker([&] { return std::exchange(held, {}); });
    }

    std::vector<exchange> held;        ///< on the first worker's thread
    std::function<response()> stream;  ///< likewise, what /stream answers

private:
    void add_routes(std::size_t thread) {
        router& routes = *routes_[thread];
        const auto get = [&routes](std::string_view pattern, handler handle) {
            routes.add({.verb = method::get,
                        .pattern = pattern,
                        .who_may = callers::anybody(),
                        .handle = std::move(handle)});
        };
        get("/plain", [](const request&, exchange reply) {
            reply.answer({.status = 200, .body = "\"plain\""});
        });
        get("/thread", [thread](const request&, exchange reply) {
            reply.answer({.status = 200, .body = std::to_string(thread)});
        });
        get("/hold", [this](const request&, exchange reply) { held.push_back(std::move(reply)); });
        get("/stream", [this](const request&, exchange reply) { reply.answer(stream()); });
        get("/client", [](const request& incoming, exchange reply) {
            reply.answer({.status = 200, .body = '"' + incoming.client.to_string() + '"'});
        });
        get("/big", [](const request&, exchange reply) {
            reply.answer({.status = 200, .body = std::string(1'000'000, 'x')});
        });
        get("/drop", [](const request&, exchange) {});
        get("/throw", [](const request&, exchange) { throw std::runtime_error("on purpose"); });
        for (const auto verb : {method::post, method::patch}) {
            routes.add({.verb = verb,
                        .pattern = "/echo",
                        .who_may = callers::anybody(),
                        .handle = [](const request& incoming, exchange reply) {
                            reply.answer({.status = 200, .body = std::string(incoming.body)});
                        }});
        }
        asio::io_context& io = *ios_[thread];
        const auto get_async = [&](std::string_view pattern, auto function,
                                   caching kept_by = caching::nobody) {
            routes.add({.verb = method::get,
                        .pattern = pattern,
                        .who_may = callers::anybody(),
                        .handle = coroutine{io, function},
                        .kept_by = kept_by});
        };
        const auto kept = [](const request& asked) -> awaitable<response> {
            const std::string what(asked.parameter);
            if (what == "none") co_return problem(problems::not_found);
            co_return response{.status = 200, .body = "\"" + what + "\""};
        };
        get_async("/person/{what}", kept, caching::its_person);
        get_async("/catalogue/{what}", kept, caching::everybody);
        get_async("/later/{what}", [&io](const request& incoming) -> awaitable<response> {
            const std::string what(incoming.parameter);
            co_await asio::post(io, use_awaitable);
            if (what == "throw") throw std::runtime_error("on purpose");
            co_return response{.status = 200, .body = "\"" + what + "\""};
        });
        get_async("/throw-at-once", [](const request&) -> awaitable<response> {
            throw std::runtime_error("on purpose");
        });
    }

    limits bounds_;
    std::vector<std::unique_ptr<asio::io_context>> ios_;
    std::vector<std::unique_ptr<router>> routes_;
    std::optional<server> server_;
    std::vector<std::thread> threads_;
};

inline std::string get_text(std::string_view path, std::string_view headers = {}) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}

}  // namespace flashsale::http
