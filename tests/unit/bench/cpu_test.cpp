#include "site/cpu.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "site/child.hpp"

using namespace flashsale::bench;
using namespace std::chrono_literals;

TEST_CASE("cpu: of a process and of what it started") {
    // The shell waits for the loop, so the loop's time is a child's: a second, however long it
    // takes on a busy machine.
    child busy{{"sh", "-c", "sh -c 'ulimit -t 1; while :; do :; done'; exec sleep 600"}};
    const auto before = cpu_time(busy.pid());
    REQUIRE(before);
    const auto until = std::chrono::steady_clock::now() + 120s;
    auto used = *before;
    while (used - *before < 100ms && std::chrono::steady_clock::now() < until) {
        used = cpu_time(busy.pid()).value_or(used);
        usleep(20'000);
    }
    CHECK(used - *before >= 100ms);
    CHECK(resident_bytes(busy.pid()).value_or(0) > 100'000);
}

TEST_CASE("cpu: nobody there") {
    CHECK_FALSE(cpu_time(0x7fffffff));
    CHECK_FALSE(resident_bytes(0x7fffffff));
}

TEST_CASE("cpu: the difference of two samples, by name") {
    processes some;
    some.add("a", 1);
    some.add("b", 2);
    const auto shares = cpu_between(some, {1s, 5s}, {3s, 5s});
    CHECK(cpu_of(shares, "a") == Approx(2));
    CHECK(cpu_of(shares, "b") == 0);
    CHECK(cpu_of(shares, "c") == 0);
}

TEST_CASE("child: its output, its exit code, its port") {
    CHECK(run_command({"sh", "-c", "echo $WORD"}, {{"WORD", "hello"}}) == "hello\n");
    CHECK_THROWS_WITH(run_command({"sh", "-c", "echo why; exit 3"}),
                      Catch::Contains("exit code 3") && Catch::Contains("why"));
    child server{{"sh", "-c", "echo listening on http://127.0.0.1:4711; exec sleep 600"}};
    CHECK(server.listening_port(60s) == 4711);
    CHECK(server.running());
    CHECK(server.stop() == 128 + 15);
    child dumb{{"sh", "-c", "echo broken"}};
    CHECK_THROWS_WITH(dumb.listening_port(60s), Catch::Contains("broken"));
}
