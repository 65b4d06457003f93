#include "site/child.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace flashsale::bench {

namespace {

using std::chrono::milliseconds;

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts)
        all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

std::vector<std::string> environment_with(const variables& extra) {
    std::vector<std::string> all;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string line{*each};
        if (!extra.contains(line.substr(0, line.find('=')))) all.push_back(line);
    }
    for (const auto& [name, value] : extra)
        all.push_back(name + "=" + value);
    return all;
}

}  // namespace

child::child(const std::vector<std::string>& command, const variables& extra)
    : name_{command.front()}, output_{memfd_create("output", MFD_CLOEXEC)} {
    // Everything that allocates happens before the fork.
    auto arguments = command;
    auto environment = environment_with(extra);
    const auto argument_pointers = pointers_to(arguments);
    const auto environment_pointers = pointers_to(environment);
    const pid_t parent = getpid();
    pid_ = output_ < 0 ? -1 : fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(127);
        dup2(output_, STDOUT_FILENO);
        dup2(output_, STDERR_FILENO);
        execvpe(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
        const char* why = std::strerror(errno);
        [[maybe_unused]] const auto written = write(STDERR_FILENO, why, std::strlen(why));
        _exit(127);
    }
    if (pid_ < 0) throw std::runtime_error("cannot start " + name_ + ": " + std::strerror(errno));
}

child::~child() {
    if (running()) {
        kill(pid_, SIGKILL);
        wait(std::chrono::seconds{10});
    }
    close(output_);
}

std::optional<int> child::wait(milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!exit_code_) {
        int status = 0;
        const pid_t found = waitpid(pid_, &status, WNOHANG);
        if (found == pid_) {
            exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        } else if (found < 0 && errno != EINTR) {
            throw std::runtime_error(std::string{"waitpid: "} + std::strerror(errno));
        } else if (std::chrono::steady_clock::now() >= end) {
            return std::nullopt;
        } else {
            std::this_thread::sleep_for(milliseconds{2});
        }
    }
    return exit_code_;
}

int child::stop() {
    if (running()) kill(pid_, SIGTERM);
    if (const auto code = wait(std::chrono::seconds{30})) return *code;
    kill(pid_, SIGKILL);
    return wait(std::chrono::seconds{10}).value_or(-1);
}

std::string child::output() const {
    std::string text(static_cast<std::size_t>(std::max<off_t>(0, lseek(output_, 0, SEEK_CUR))), 0);
    const auto got = pread(output_, text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
    return text;
}

std::uint16_t child::listening_port(milliseconds patience) {
    constexpr std::string_view announcement = "listening on http://";
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true) {
        const auto text = output();
        const auto at = text.find(announcement);
        const auto line_end = at == text.npos ? at : text.find('\n', at);
        if (line_end != text.npos) {
            std::uint16_t port = 0;
            std::from_chars(text.data() + text.rfind(':', line_end) + 1, text.data() + line_end,
                            port);
            return port;
        }
        if (!running() || std::chrono::steady_clock::now() > end) {
            throw std::runtime_error(name_ + " does not listen:\n" + text);
        }
        std::this_thread::sleep_for(milliseconds{5});
    }
}

std::string run_command(const std::vector<std::string>& command, const variables& extra,
                        std::chrono::seconds limit) {
    child running{command, extra};
    const auto code = running.wait(limit);
    if (code == 0) return running.output();
    std::string line;
    for (const auto& word : command)
        line += word + " ";
    throw std::runtime_error(
        line + (code ? "ended with exit code " + std::to_string(*code) : "did not end in time") +
        ":\n" + running.output());
}

}  // namespace flashsale::bench
