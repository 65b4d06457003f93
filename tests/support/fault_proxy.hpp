#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace flashsale::test {

/// A TCP forwarder on 127.0.0.1 in front of a server, with a thread of its own, that fails on
/// request in the ways a network does. "Requests" go to the server, "replies" come from it; both
/// are taken as they come, piece by piece, whatever the protocol. Every setting is for all
/// connections, those to come included, and holds when the call returns. Any thread.
class fault_proxy {
public:
    fault_proxy(std::string host, std::uint16_t port);
    ~fault_proxy();
    fault_proxy(const fault_proxy&) = delete;
    fault_proxy& operator=(const fault_proxy&) = delete;

    std::uint16_t port() const;

    // ---- slow
    void delay(std::chrono::milliseconds each_way);
    void slice(std::size_t bytes_max);         ///< into pieces of so many bytes; 0: no longer
    void limit(std::size_t bytes_per_second);  ///< each way and connection; 0: no longer

    // ---- silent
    void hold_requests(bool on);  ///< the server hears nothing
    void hold_replies(bool on);   ///< the server hears, the client does not
    /// Both: connections are still accepted, and nothing ever comes of them.
    void black_hole(bool on);

    // ---- gone
    void cut();         ///< resets all connections
    void half_close();  ///< clients see the end of what the server says, and may go on talking
    void close();       ///< cuts, and refuses new ones
    void open();

    // ---- done, and never heard of
    /// Resets a connection when the server answers, and swallows that answer: for this share of
    /// the answers, 0 to 1. With `only_to`, of the answers to requests in which these bytes are.
    void cut_replies(double share, std::string only_to = {});
    /// The same for the n-th answer from now on, counting from 1, once.
    void cut_reply(std::uint64_t nth, std::string only_to = {});

    /// New connections go to another server; those there are stay where they are.
    void retarget(std::uint16_t port);

    std::uint64_t replies_cut() const;
    std::size_t connections() const;

    /// As on the first day. What was cut stays cut.
    void heal();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace flashsale::test
