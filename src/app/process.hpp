#pragma once

// The serving process: what runs, in which order it starts and stops.

#include <flashsale/http.hpp>

#include <memory>

#include "site.hpp"

namespace flashsale::app {

class process {
public:
    /// Checks the schemas, agrees on the deployment, opens shards that never were open and listens.
    /// Throws config_error or unavailable_error with one line for people.
    explicit process(const site& at);
    ~process();

    void start();
    std::uint16_t port() const;

    /// Takes over what setting::reloads() says. The thread of the other calls.
    void reload(const config& settings);

    /// Readiness goes first, process.drain_delay_ms later accepting stops, requests in flight
    /// finish, confirms and the recorder drain. Returns within process.drain_timeout_ms from then,
    /// and a little.
    void drain_and_stop();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

}  // namespace flashsale::app
