#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace flashsale::postgres::test {

/// A TCP forwarder in front of the server, with a thread of its own, that fails on request in the
/// ways a network does.
class tcp_gate {
public:
    tcp_gate(std::string host, std::uint16_t port);
    ~tcp_gate();
    tcp_gate(const tcp_gate&) = delete;
    tcp_gate& operator=(const tcp_gate&) = delete;

    std::uint16_t port() const { return port_; }

    void hold_replies(bool on) { hold_replies_ = on; }    ///< the server hears, the client does not
    void hold_requests(bool on) { hold_requests_ = on; }  ///< both together: a black hole
    void cut();                                           ///< ends all connections
    void close();                                         ///< cuts, and refuses new ones
    void open();

private:
    struct pair {
        int client;
        int server;
    };

    void run();
    void accept_one();
    void listen();

    std::string host_;
    std::uint16_t server_port_;
    std::uint16_t port_ = 0;
    std::atomic<bool> hold_replies_ = false;
    std::atomic<bool> hold_requests_ = false;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    int listener_ = -1;
    std::vector<pair> pairs_;
    std::thread thread_;
};

}  // namespace flashsale::postgres::test
