#include "log_output.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include <array>

#include "metrics.hpp"

using namespace flashsale::app;

namespace {

/// Two ends of something that takes only so much.
struct ends {
    int read = -1, write = -1;
    ~ends() { close_read(), ::close(write); }
    void close_read() {
        if (read >= 0) ::close(std::exchange(read, -1));
    }
    std::string take() {
        std::string out;
        std::array<char, 4'096> some{};
        while (true) {
            const auto size = ::recv(read, some.data(), some.size(), MSG_DONTWAIT);
            const auto got = size < 0 && errno == ENOTSOCK ? read_some(some) : size;
            if (got <= 0) return out;
            out.append(some.data(), static_cast<std::size_t>(got));
        }
    }
    ssize_t read_some(std::array<char, 4'096>& into) {
        ::fcntl(read, F_SETFL, O_NONBLOCK);
        return ::read(read, into.data(), into.size());
    }
};

ends make_ends(const std::string& kind) {
    int made[2];
    if (kind == "pipe") {
        REQUIRE(::pipe(made) == 0);
        return {made[0], made[1]};
    }
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, made) == 0);
    return {made[0], made[1]};
}

std::shared_ptr<spdlog::logger> logger_to(int descriptor) {
    auto out = std::make_shared<spdlog::logger>("test", make_log_sink(descriptor));
    out->set_pattern("%l %v");
    return out;
}

std::int64_t lost() {
    return metrics::log_lines_lost.value();
}

}  // namespace

TEST_CASE(
    "log output: nobody reads: lines are lost and counted, nothing waits, and it is said later") {
    const std::string kind = GENERATE(as<std::string>{}, "pipe", "socket");
    CAPTURE(kind);
    ends both = make_ends(kind);
    const auto logger = logger_to(both.write);
    const auto before = lost();
    // Were one of these to wait, it would wait for ever.
    for (int i = 0; lost() == before && i < 1'000'000; ++i)
        logger->info("a line that nobody reads");
    REQUIRE(lost() > before);
    for (int i = 0; i < 1'000; ++i)
        logger->info("a line that nobody reads");
    const auto missing = lost() - before;
    CHECK(missing > 1'000);

    CHECK(both.take().starts_with("info a line that nobody reads\n"));
    logger->info("read again");
    const std::string rest = both.take();
    CHECK(rest.find("warning " + std::to_string(missing) + " log lines were lost") !=
          std::string::npos);
    CHECK(rest.ends_with("info read again\n"));
    // The mode of what is shared with other processes is theirs too.
    CHECK((::fcntl(both.write, F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("log output: a closed end raises no signal and ends nothing") {
    prepare_outputs();
    const std::string kind = GENERATE(as<std::string>{}, "pipe", "socket");
    ends both = make_ends(kind);
    const auto logger = logger_to(both.write);
    logger->info("one");
    both.close_read();
    const auto before = lost();
    logger->info("two");
    logger->info("three");
    CHECK(lost() - before >= 2);
    // All that write, not the log alone.
    CHECK(::write(both.write, "x", 1) == -1);
    CHECK(errno == EPIPE);
}

TEST_CASE("log output: a full disk loses lines, and tears none that come after it") {
    const int full = ::open("/dev/full", O_WRONLY);
    REQUIRE(full >= 0);
    const auto before = lost();
    logger_to(full)->info("nowhere to go");
    CHECK(lost() == before + 1);
    ::close(full);
}

TEST_CASE("log output: an entry is one line, of no more than a pipe takes whole") {
    ends both = make_ends("pipe");
    const auto logger = logger_to(both.write);
    logger->info("one\ntwo\x1b[31m\r{}", std::string(5'000, 'x'));
    const std::string line = both.take();
    CHECK(line.size() == 4'096);
    CHECK(line.starts_with("info one two [31m xxx"));
    CHECK(line.ends_with("x …\n"));
    CHECK(std::count(line.begin(), line.end(), '\n') == 1);
}
