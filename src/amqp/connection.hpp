#pragma once

// One AMQP connection with one channel, for one thread. What the library leaves to its caller is
// done here:
// - it is told that we understand connection.blocked and server-sent cancels, else the broker keeps
//   both to itself;
// - frames hide inside the library after any call, while the socket looks quiet: next_frame() is to
//   be called until it has none, before each wait;
// - buffers are released with each frame taken, else they only grow;
// - connection.close and channel.close are answered, and end the connection: one way to fail, and
//   one way back, a new connection;
// - every call is watched, since several of them can block without limit.
// A connection that failed is destroyed without farewell: the polite close is a call that can hang.

#include <amqp.h>

#include <flashsale/amqp.hpp>

#include "server.hpp"
#include "watchdog.hpp"

namespace flashsale::amqp {

/// The error says what happened, for people.
using status = std::expected<void, std::string>;

std::string describe(const amqp_rpc_reply_t& reply);

class connection {
public:
    static constexpr amqp_channel_t channel = 1;

    /// Resolves, connects, logs in and opens the channel; each step within connect_timeout.
    static std::expected<std::unique_ptr<connection>, std::string> open(const options& settings,
                                                                        const server& where,
                                                                        watchdog& dog);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    int fd() const { return amqp_get_sockfd(state_); }

    status declare(const topology& names);
    status bind(const topology& names, std::string_view key);
    status unbind(const topology& names, std::string_view key);
    struct queue_levels {
        std::uint32_t ready;  ///< messages that no consumer holds
        std::uint32_t consumers;
    };
    /// Of a queue that must be there.
    std::expected<queue_levels, std::string> look_at(const std::string& queue);
    status confirm_select();
    status consume(const std::string& queue, std::uint16_t prefetch_messages);

    /// The next frame of the channel, valid until the next call. False: none for now. Also the
    /// place where heartbeats are sent, and found missing.
    std::expected<bool, std::string> next_frame(amqp_frame_t& frame);

    /// Room in the socket for a message of ordinary size, so that publish() will not block.
    bool writable() const;
    status publish(const std::string& exchange, const message& what, std::uint64_t number);
    status acknowledge_up_to(std::uint64_t delivery_tag);
    status reject(std::uint64_t delivery_tag);

    /// Why the broker has blocked us; empty if it has not.
    const std::string& blocked() const { return blocked_; }

    /// Says goodbye, so that what was sent last is read: a socket closed over unread deliveries
    /// would take an acknowledgement in flight with it.
    void close(std::chrono::milliseconds patience);

private:
    connection(watchdog& dog);

    status connect(amqp_socket_t* socket, const options& settings, const server& where);
    status log_in(const options& settings, const server& where);
    status reply_status(std::string_view doing);
    status declared(const std::string& what);
    std::string refused_by_server(const amqp_frame_t& frame);

    watchdog& dog_;
    amqp_connection_state_t state_;
    std::string blocked_;
};

}  // namespace flashsale::amqp
