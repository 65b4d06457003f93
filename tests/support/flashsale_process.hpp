#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <string>

#include "http_client.hpp"
#include "process.hpp"
#include "sandbox.hpp"

namespace flashsale::test {

/// The executable under test, or what FLASHSALE_UNDER_TEST names; throws if this build has none.
std::string flashsale_binary();
std::string bench_binary();
/// config/stack.json of the source tree.
std::string stack_config();
/// config/embedded.json.
std::string embedded_config();

/// `flashsale serve` in a sandbox, on a free port. Killed at the end if it still runs.
class flashsale_process {
public:
    /// Returns when it listens; throws std::runtime_error with its log if it does not within
    /// `limit`. `extra` overrides the sandbox's variables.
    explicit flashsale_process(const sandbox& world, const environment& extra = {},
                               std::chrono::milliseconds limit = std::chrono::seconds{90});

    std::uint16_t port() const { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    /// A new connection to it.
    http_client client() const { return http_client{port_}; }

    bool running() { return process_.running(); }
    pid_t pid() const { return process_.pid(); }
    void kill(int signal = SIGKILL) { process_.kill(signal); }
    /// SIGTERM, then the exit code; nullopt if it has not ended within `limit`.
    std::optional<int> terminate(std::chrono::milliseconds limit = std::chrono::seconds{90});
    std::optional<int> wait(std::chrono::milliseconds limit) { return process_.wait(limit); }

    std::string log() const { return process_.output(); }

private:
    process process_;
    std::uint16_t port_ = 0;
};

}  // namespace flashsale::test
