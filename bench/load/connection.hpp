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

#include "load/response_reader.hpp"

namespace flashsale::bench {

using clock = std::chrono::steady_clock;

struct target {
    asio::ip::tcp::endpoint address;
    std::string host;  ///< the Host header
};

/// `http://host:port`, the host resolved. The error is a sentence.
std::expected<target, std::string> parse_target(std::string_view url);

/// One keep-alive connection, which sends when all that it sent before is answered. One thread;
/// must outlive the poller's last turn.
class connection final : private poller::source {
public:
    /// Hears answered once for each answer that a send waits for, or broken once instead of those
    /// that do not come; one of opened and broken for each open. May send from within the last
    /// answer, and open from within any call.
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
    /// Only when is_open() and nothing is waited for. `requests` are so many as there will be
    /// `answers`. The bytes stay where they are until the listener has heard the last.
    void send(std::string_view requests, std::size_t answers = 1);
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
    /// What was read so far. True: more is wanted.
    bool take_answers();
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
    std::size_t unanswered_ = 0;
    std::uint64_t epoch_ = 0;  // counts sockets: what concerns an earlier one is ignored
    bool open_ = false;
    bool waiting_ = false;  // for an answer or a connect
    clock::time_point since_{};
};

}  // namespace flashsale::bench
