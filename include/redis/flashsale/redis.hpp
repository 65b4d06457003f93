#pragma once

// A pipelined Redis connection on an io_context. hiredis is the codec; the multiplexer around it
// does no I/O and is tested with byte strings.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/time.hpp"

namespace flashsale::redis {

struct options {
    /// `redis://[user[:password]@]host[:port][/database]` with a numeric host or a name resolved at
    /// each connect, or `unix:///path[?db=n]`.
    std::string url;
    std::chrono::milliseconds connect_timeout{2'000};
    std::chrono::milliseconds reply_timeout{2'000};  ///< per command, from its hand-over
    std::size_t pending_commands_max = 4'096;        ///< sent and unanswered, then `overloaded`
};

/// Whether options::url can be used; else what is wrong with it and what is expected, with nothing
/// of it repeated.
std::expected<void, std::string> check_url(std::string_view url);

/// A URL fit for logs: put together from what was understood of it, without the password.
std::string shown(std::string_view url);

/// A reply, owned. A server's error reply is not a value: it arrives as error::refused. An error
/// that is an element of an array is a string there, its text.
struct value {
    enum class type { nil, integer, string, array };

    type kind = type::nil;
    std::int64_t integer = 0;
    std::string text;
    std::vector<value> elements;
};

struct error {
    enum class kind {
        unavailable,      ///< not sent: no connection. Nothing happened.
        overloaded,       ///< not sent: pending_commands_max reached. Nothing happened.
        outcome_unknown,  ///< sent, and no reply: it may have happened, or may yet
        refused,          ///< the server answered an error; `message` is its text (`READONLY …`)
    };

    kind what = kind::unavailable;
    std::string message;
};

using result = std::expected<value, error>;

/// A Lua script. Sent by its SHA-1; a server that has forgotten it (NOSCRIPT) is sent the text.
class script {
public:
    explicit script(std::string_view source);

    std::string_view source() const { return source_; }
    std::string_view sha1() const { return sha1_; }

private:
    std::string_view source_;
    std::string sha1_;
};

/// One connection, one thread: everything here is called, and calls back, on the io_context's
/// thread. Reconnects by itself with backoff; while down, commands fail at once.
class client {
public:
    client(asio::io_context& io, options settings);
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// Begins to connect, and keeps connecting until stop().
    void start();
    /// Closes. Before it returns it calls what is pending: outcome_unknown, or unavailable for what
    /// was not written yet. No callback runs afterwards.
    void stop();

    bool ready() const;

    /// Why there is no connection, for people; empty when ready.
    std::string fault() const;

    /// Sends one command, its arguments as given (bytes, no formatting).
    void command(std::span<const std::string_view> arguments, callback<result> done);

    /// EVALSHA, falling back to EVAL on NOSCRIPT. `what` must outlive the client.
    void evaluate(const script& what, std::span<const std::string_view> keys,
                  std::span<const std::string_view> arguments, callback<result> done);

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace flashsale::redis
