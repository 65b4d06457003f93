#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <flashsale/base/async.hpp>
#include <flashsale/base/poller.hpp>
#include <string>
#include <string_view>

#include "response_reader.hpp"

namespace flashsale::bench {

using clock = std::chrono::steady_clock;

struct target {
    asio::ip::tcp::endpoint address;
    std::string host;  ///< the Host header
};

/// `http://host:port`, the host resolved. The error is a sentence.
std::expected<target, std::string> parse_target(std::string_view url);

/// One keep-alive connection with one request in flight. One thread; must outlive the poller's last
/// turn.
class connection final : private poller::source {
public:
    /// Hears exactly one of answered and broken for each send, one of opened and broken for each
    /// open. May send or open again from within.
    class listener {
    public:
        virtual void opened(connection& which) = 0;
        virtual void answered(connection& which, const response_reader& answer) = 0;
        virtual void broken(connection& which, std::string_view why) = 0;

    protected:
        ~listener() = default;
    };

    connection(asio::io_context& io, poller& readiness, const target& to, std::size_t index,
               listener& heard);
    ~connection() { close(); }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    void open();
    /// Only when is_open(). The bytes stay where they are until the listener is called.
    void send(std::string_view request);
    /// Gives up what is under way, and tells the listener so.
    void give_up(std::string_view why);
    void close();

    bool is_open() const { return open_; }
    bool is_waiting() const { return waiting_; }
    clock::time_point waiting_since() const { return since_; }
    const target& to() const { return to_; }
    std::size_t index() const { return index_; }

private:
    void ready(std::uint32_t epoll_events) override;
    void connected();
    void write();
    void read();
    void received(std::size_t bytes);
    /// Never from within the caller's own step.
    void give_up_later(int error);

    asio::io_context& io_;
    poller& poller_;
    target to_;
    std::size_t index_;
    listener& listener_;
    int socket_ = -1;
    response_reader reader_;
    std::string_view unsent_;
    std::uint64_t epoch_ = 0;  // counts sockets: what concerns an earlier one is ignored
    bool open_ = false;
    bool waiting_ = false;  // for an answer or a connect
    clock::time_point since_{};
};

}  // namespace flashsale::bench
