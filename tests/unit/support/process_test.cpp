#include "process.hpp"

#include <catch2/catch.hpp>
#include <csignal>
#include <optional>
#include <thread>

using namespace flashsale::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("process: output, exit code and environment") {
    const auto ended = run({"sh", "-c", "echo $GREETING; echo hidden >&2; exit 7"},
                           {{"GREETING", "hello = world"}});
    CHECK(ended.exit_code == 7);
    CHECK(ended.output == "hello = world\nhidden\n");
    CHECK(ended.last_line() == "hidden");
    CHECK(finished{0, "one"}.last_line() == "one");
    CHECK(finished{0, "\n"}.last_line().empty());
}

TEST_CASE("process: extra variables replace inherited ones") {
    CHECK(run_or_throw({"sh", "-c", "env | grep -c ^PATH="}, {{"PATH", "/usr/bin:/bin"}}) == "1\n");
}

TEST_CASE("process: what cannot be started says so") {
    CHECK_THROWS_WITH(process({"/no/such/program"}), Catch::Contains("/no/such/program"));
    CHECK_THROWS_WITH(run_or_throw({"sh", "-c", "echo why; exit 1"}), Catch::Contains("why"));
}

TEST_CASE("process: signals, and waiting with a limit") {
    process sleeper{{"sleep", "60"}};
    CHECK(sleeper.running());
    CHECK_FALSE(sleeper.wait(milliseconds{20}).has_value());
    sleeper.kill(SIGTERM);
    CHECK(sleeper.wait(seconds{60}) == 128 + SIGTERM);
    CHECK_FALSE(sleeper.running());
    sleeper.kill(SIGTERM);  // no effect, and above all not on another process
    CHECK_THROWS_WITH(run({"sleep", "60"}, {}, milliseconds{50}), Catch::Contains("did not end"));
}

TEST_CASE("process: ends with its object, stopped or not") {
    pid_t pid = 0;
    {
        process sleeper{{"sleep", "60"}};
        pid = sleeper.pid();
        sleeper.kill(SIGSTOP);
        process moved{std::move(sleeper)};
        CHECK(moved.running());
    }
    CHECK(::kill(pid, 0) != 0);
}

TEST_CASE("process: ends with the thread that started it, destructors or not") {
    // What the kernel does when a test is killed outright.
    std::optional<process> orphan;
    std::thread{[&] { orphan.emplace(std::vector<std::string>{"sleep", "60"}); }}.join();
    CHECK(orphan->wait(seconds{60}) == 128 + SIGKILL);
}
