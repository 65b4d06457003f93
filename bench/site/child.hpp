#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flashsale::bench {

using variables = std::map<std::string, std::string>;

/// A program started by this one. Killed at the end of the object, or of this process.
class child {
public:
    /// The environment is ours and `extra`; what it writes goes to output(). Throws
    /// std::runtime_error if it cannot be started. Call it on the main thread: the child dies with
    /// the thread that made it.
    explicit child(const std::vector<std::string>& command, const variables& extra = {});
    ~child();
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    pid_t pid() const { return pid_; }
    bool running() { return !wait(std::chrono::milliseconds{0}); }
    /// The exit code, 128 + n after signal n; nullopt if it still runs after `patience`.
    std::optional<int> wait(std::chrono::milliseconds patience);
    /// SIGTERM, and SIGKILL after half a minute. The exit code.
    int stop();
    std::string output() const;

    /// Waits for the line `listening on http://…:PORT`; throws with its output if none comes.
    std::uint16_t listening_port(std::chrono::milliseconds patience);

private:
    std::string name_;
    int output_ = -1;
    pid_t pid_ = -1;
    std::optional<int> exit_code_;
};

/// Runs a command to its end: its output, or std::runtime_error with it if the exit code is not
/// 0.
std::string run_command(const std::vector<std::string>& command, const variables& extra = {},
                        std::chrono::seconds limit = std::chrono::seconds{120});

}  // namespace flashsale::bench
