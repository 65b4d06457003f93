#include "log_output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "metrics.hpp"

namespace flashsale::app {

namespace {

constexpr std::size_t line_bytes_max = 4'096;
static_assert(line_bytes_max <= PIPE_BUF);

/// The flag O_NONBLOCK belongs to what is shared with other processes; what is opened anew is ours.
int open_anew(int descriptor) {
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    return ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/// As one line, not longer than is written whole.
void make_one_line(spdlog::memory_buf_t& text) {
    constexpr std::string_view cut = " …\n";
    const std::size_t length =
        text.size() > 0 && text.end()[-1] == '\n' ? text.size() - 1 : text.size();
    std::replace_if(
        text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    if (text.size() <= line_bytes_max) return;
    text.resize(line_bytes_max - cut.size());
    text.append(cut.data(), cut.data() + cut.size());
}

class log_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit log_sink(int descriptor) : out_(descriptor) {}

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (lost_ > 0) tell_of_lost(message);
        if (lost_ == 0 && write(message)) return;
        ++lost_;
        metrics::log_lines_lost.add();
    }

    void flush_() override {}

private:
    void tell_of_lost(const spdlog::details::log_msg& before) {
        const std::string text = std::to_string(lost_) + " log lines were lost: nothing took them";
        spdlog::details::log_msg notice = before;
        notice.level = spdlog::level::warn;
        notice.payload = text;
        if (write(notice)) lost_ = 0;
    }

    bool write(const spdlog::details::log_msg& message) {
        spdlog::memory_buf_t text;
        formatter_->format(message, text);
        make_one_line(text);
        return out_.write({text.data(), text.size()});
    }

    line_output out_;
    std::uint64_t lost_ = 0;
};

}  // namespace

line_output::line_output(int descriptor) : descriptor_(descriptor) {
    struct stat what{};
    if (::fstat(descriptor, &what) != 0) return;
    if (S_ISREG(what.st_mode)) way_ = way::file;
    if (S_ISSOCK(what.st_mode)) way_ = way::socket;
    if (!S_ISFIFO(what.st_mode) && !S_ISCHR(what.st_mode)) return;
    // Refused where it was opened by a user that we are not any more.
    if (const int anew = open_anew(descriptor); anew >= 0) {
        descriptor_ = anew;
        owned_ = true;
        way_ = way::nonblocking;
    }
}

line_output::~line_output() {
    if (owned_) ::close(descriptor_);
}

long line_output::put(std::string_view bytes) {
    if (way_ == way::socket)
        return ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (way_ == way::polled) {
        // A pipe that is writable takes a line without waiting, if no other writes in between.
        pollfd entry{descriptor_, POLLOUT, 0};
        if (::poll(&entry, 1, 0) != 1 || (entry.revents & POLLOUT) == 0) return -1;
    }
    return ::write(descriptor_, bytes.data(), bytes.size());
}

bool line_output::write(std::string_view line) {
    if (torn_) {
        if (put("\n") != 1) return false;
        torn_ = false;
    }
    long written = 0;
    do {
        written = put(line);
    } while (written < 0 && errno == EINTR);
    if (written == static_cast<long>(line.size())) return true;
    torn_ = written > 0;
    return false;
}

std::shared_ptr<spdlog::sinks::sink> make_log_sink(int descriptor) {
    return std::make_shared<log_sink>(descriptor);
}

void complain(std::string_view what) {
    line_output(STDERR_FILENO).write("flashsale: " + std::string(what) + "\n");
}

void prepare_outputs() {
    // A write then answers EPIPE or EFBIG, and one to a terminal is not stopped.
    for (const int one : {SIGPIPE, SIGXFSZ, SIGTTOU})
        std::signal(one, SIG_IGN);
    for (const int one : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(one, F_GETFD) == -1 && errno == EBADF)
            (void)!::open("/dev/null", O_RDWR);  // takes the lowest number that is free
    }
}

}  // namespace flashsale::app
