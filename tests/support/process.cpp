#include "process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace flashsale::test {

temporary_file::temporary_file(const std::string& suffix) {
    auto name =
        (std::filesystem::temp_directory_path() / "flashsale-test-XXXXXX").string() + suffix;
    const int file = mkstemps(name.data(), static_cast<int>(suffix.size()));
    if (file < 0) throw std::runtime_error("cannot create " + name + ": " + std::strerror(errno));
    close(file);
    path_ = name;
}

temporary_file::~temporary_file() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

temporary_file::temporary_file(temporary_file&& other) noexcept
    : path_{std::exchange(other.path_, {})} {}

std::string temporary_file::text() const {
    std::stringstream all;
    all << std::ifstream{path_}.rdbuf();
    return all.str();
}

namespace {

std::vector<std::string> environment_with(const environment& extra) {
    std::vector<std::string> all;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string line{*each};
        if (!extra.contains(line.substr(0, line.find('=')))) all.push_back(line);
    }
    for (const auto& [name, value] : extra)
        all.push_back(name + "=" + value);
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts)
        all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace

process::process(const std::vector<std::string>& command, const environment& extra) {
    // Everything that allocates happens before the fork: other threads may hold the heap's lock.
    auto arguments = command;
    auto variables = environment_with(extra);
    const auto argument_pointers = pointers_to(arguments);
    const auto variable_pointers = pointers_to(variables);
    const int log = open(log_.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int failure[2];
    if (log < 0 || input < 0 || pipe2(failure, O_CLOEXEC) != 0) {
        throw std::runtime_error("cannot start " + command.front() + ": " + std::strerror(errno));
    }
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);  // it died before the line above
        setpgid(0, 0);
        dup2(input, STDIN_FILENO);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        // A socket of ours that lived on in the child could be neither closed nor bound again.
        close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        execvpe(argument_pointers[0], argument_pointers.data(), variable_pointers.data());
        const int why = errno;
        [[maybe_unused]] const auto written = write(failure[1], &why, sizeof why);
        _exit(127);
    }
    const int fork_fault = errno;
    close(log);
    close(input);
    close(failure[1]);
    int why = 0;
    const bool failed = pid_ < 0 || read(failure[0], &why, sizeof why) > 0;
    close(failure[0]);
    if (!failed) return;
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    throw std::runtime_error("cannot start " + command.front() + ": " +
                             std::strerror(pid_ < 0 ? fork_fault : why));
}

process::process(process&& other) noexcept
    : log_{std::move(other.log_)},
      pid_{std::exchange(other.pid_, -1)},
      exit_code_{other.exit_code_} {}

process::~process() {
    if (pid_ < 0 || !running()) return;
    kill(SIGKILL);
    wait(std::chrono::seconds{10});
}

bool process::running() {
    return !wait(std::chrono::milliseconds{0});
}

void process::kill(int signal) {
    // Reaped, the number may be another program's.
    if (running()) ::kill(pid_, signal);
}

std::optional<int> process::wait(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!exit_code_) {
        int status = 0;
        const pid_t found = waitpid(pid_, &status, WNOHANG);
        if (found == pid_) {
            exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        } else if (found < 0 && errno != EINTR) {
            throw std::runtime_error("waitpid: " + std::string{std::strerror(errno)});
        } else if (std::chrono::steady_clock::now() >= end) {
            return std::nullopt;
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
    }
    return exit_code_;
}

namespace {

std::string joined(const std::vector<std::string>& command) {
    std::string line;
    for (const auto& word : command)
        line += (line.empty() ? "" : " ") + word;
    return line;
}

}  // namespace

std::string finished::last_line() const {
    const auto end = output.find_last_not_of('\n');
    if (end == std::string::npos) return {};
    const auto before = output.rfind('\n', end);
    const auto begin = before == std::string::npos ? 0 : before + 1;
    return output.substr(begin, end + 1 - begin);
}

finished run(const std::vector<std::string>& command, const environment& extra,
             std::chrono::milliseconds limit) {
    process started{command, extra};
    const auto code = started.wait(limit);
    if (!code) {
        throw std::runtime_error("'" + joined(command) + "' did not end within " +
                                 std::to_string(limit.count()) + " ms:\n" + started.output());
    }
    return {*code, started.output()};
}

std::string run_or_throw(const std::vector<std::string>& command, const environment& extra,
                         std::chrono::milliseconds limit) {
    auto ended = run(command, extra, limit);
    if (ended.exit_code != 0) {
        throw std::runtime_error("'" + joined(command) + "' ended with exit code " +
                                 std::to_string(ended.exit_code) + ":\n" + ended.output);
    }
    return std::move(ended.output);
}

}  // namespace flashsale::test
