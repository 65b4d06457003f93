#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flashsale::test {

using environment = std::map<std::string, std::string>;

/// A file below the system's temporary folder, removed at the end.
class temporary_file {
public:
    explicit temporary_file(const std::string& suffix = {});
    ~temporary_file();
    temporary_file(temporary_file&& other) noexcept;
    temporary_file& operator=(temporary_file&&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::string text() const;

private:
    std::filesystem::path path_;
};

/// A program that this one started. Killed with SIGKILL when the object, or the thread that made
/// it, ends.
class process {
public:
    /// `command[0]` is looked up in PATH. The environment is ours and `extra`; stdout and stderr
    /// go to output(). Throws std::runtime_error if it cannot be started.
    explicit process(const std::vector<std::string>& command, const environment& extra = {});
    ~process();
    process(process&& other) noexcept;
    process& operator=(process&&) = delete;

    pid_t pid() const { return pid_; }
    bool running();
    /// Sends a signal, if it still runs.
    void kill(int signal);
    /// The exit code, 128 + n after signal n; nullopt if it still runs after `limit`.
    std::optional<int> wait(std::chrono::milliseconds limit);

    /// All that it has written so far.
    std::string output() const { return log_.text(); }

private:
    temporary_file log_;
    pid_t pid_ = -1;
    std::optional<int> exit_code_;
};

struct finished {
    int exit_code = 0;
    std::string output;  ///< stdout and stderr as they came

    std::string last_line() const;
};

/// Runs a command to its end. Throws std::runtime_error if that takes longer than `limit`.
finished run(const std::vector<std::string>& command, const environment& extra = {},
             std::chrono::milliseconds limit = std::chrono::seconds{120});

/// run(), but throws with the output if the exit code is not 0. Returns the output.
std::string run_or_throw(const std::vector<std::string>& command, const environment& extra = {},
                         std::chrono::milliseconds limit = std::chrono::seconds{120});

}  // namespace flashsale::test
