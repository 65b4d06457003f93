// What every log does, on each adapter. Where they differ, the test says so in words.

#include <catch2/catch.hpp>

#include <algorithm>
#include <thread>

#include "log_world.hpp"

using namespace flashsale;
using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

log_adapter any() {
    return GENERATE(log_adapter::amqp, log_adapter::sqlite);
}

}  // namespace

TEST_CASE("log: an event that is appended is confirmed once, and read") {
    log_world world(any());
    log_world::worker one(world.log());
    REQUIRE(one.append(1));
    one.wait_for_answers();
    CHECK(one.answers().at(1) == std::vector{events::outcome::durable});
    const auto read = world.read(1);
    CHECK(seqs_of(read) == numbers(1, 1));
    REQUIRE(read.front().has_value());
    const auto& order = std::get<events::order_accepted>(*read.front());
    CHECK(order.idempotency_key == "key");
    CHECK(order.unit_price == 1'999);
}

TEST_CASE("log: a worker's events are read in the order in which it appended them") {
    log_world world(any());
    log_world::worker one(world.log());
    for (std::uint64_t i = 1; i <= 3'000; ++i) {
        REQUIRE(one.append(i));
        if (i % 700 == 0) std::this_thread::sleep_for(3ms);
    }
    one.wait_for_answers();
    CHECK(one.all_durable());
    CHECK(seqs_of(world.read(3'000)) == numbers(1, 3'000));
}

TEST_CASE("log: each worker is answered for its own events, on its own thread") {
    log_world world(any());
    log_world::worker one(world.log()), two(world.log());
    for (std::uint64_t i = 1; i <= 500; ++i) {
        REQUIRE(one.append(i));
        REQUIRE(two.append(i + 500));
    }
    one.wait_for_answers();
    two.wait_for_answers();
    CHECK(one.answers().size() == 500);
    CHECK(two.answers().size() == 500);
    CHECK(one.answers().rbegin()->first == 500);
    CHECK(two.answers().begin()->first == 501);
    CHECK(one.all_durable());
    CHECK(two.all_durable());
    auto seqs = seqs_of(world.read(1'000));
    std::ranges::sort(seqs);
    CHECK(seqs == numbers(1, 1'000));
}

TEST_CASE("log: what is not acknowledged comes again after a restart, what is does not") {
    log_world world(any());
    {
        log_world::worker one(world.log());
        for (std::uint64_t i = 1; i <= 10; ++i)
            REQUIRE(one.append(i));
        one.wait_for_answers();
        REQUIRE(seqs_of(world.read(10)) == numbers(1, 10));
        world.reader().acknowledge(world.last_position);
        for (std::uint64_t i = 11; i <= 20; ++i)
            REQUIRE(one.append(i));
        one.wait_for_answers();
        REQUIRE(seqs_of(world.read(10)) == numbers(11, 20));
    }
    world.restart();
    CHECK(seqs_of(world.read(10)) == numbers(11, 20));
    world.reader().acknowledge(world.last_position);
    world.restart();
    log_world::worker one(world.log());
    REQUIRE(one.append(21));
    one.wait_for_answers();
    CHECK(seqs_of(world.read(1)) == numbers(21, 21));
}

TEST_CASE("log: what is confirmed is there though nobody read it before the restart") {
    log_world world(any());
    {
        log_world::worker one(world.log());
        for (std::uint64_t i = 1; i <= 2'000; ++i)
            REQUIRE(one.append(i));
        one.wait_for_answers();
        REQUIRE(one.all_durable());
    }
    world.restart();
    CHECK(seqs_of(world.read(2'000)) == numbers(1, 2'000));
}

TEST_CASE("log: something that is no event travels in its place, with why") {
    log_world world(any());
    log_world::worker one(world.log());
    REQUIRE(one.append(1));
    REQUIRE(one.append_text(R"({"version":1,"type":"nonsense"})", 2));
    REQUIRE(one.append(3));
    one.wait_for_answers();
    const auto read = world.read(3);
    REQUIRE(read.size() == 3);
    CHECK(read[0].has_value());
    REQUIRE_FALSE(read[1].has_value());
    CHECK(read[1].error().text.find("nonsense") != std::string::npos);
    CHECK(read[1].error().reason.find("type") != std::string::npos);
    CHECK(seqs_of(read) == std::vector<std::uint64_t>{1, 0, 3});
}

TEST_CASE("log: a stopped log has answered everything that it took, and takes nothing more") {
    log_world world(any());
    log_world::worker one(world.log());
    std::uint64_t taken = 0;
    for (std::uint64_t i = 1; i <= 1'000; ++i)
        taken += one.append(i);
    world.log().stop(60s);
    one.wait_for_answers();
    CHECK(one.answers().size() == taken);
    for (const auto& [ticket, ends] : one.answers())
        CHECK(ends.size() == 1);
    CHECK(world.log().state() == events::log_state::down);
    CHECK_FALSE(one.append(1'001));
}

TEST_CASE("log: answers to a producer that is gone are dropped") {
    log_world world(any());
    log_world::worker one(world.log());
    for (std::uint64_t i = 1; i <= 100; ++i)
        REQUIRE(one.append(i));
    one.leave();
    CHECK(seqs_of(world.read(100)) == numbers(1, 100));
    std::this_thread::sleep_for(50ms);
    one.poll();
    CHECK(one.answers().empty());
}

TEST_CASE("log: a reader that waits is woken by an event, and by an interruption") {
    log_world world(any());
    log_world::worker one(world.log());
    std::thread later([&] {
        std::this_thread::sleep_for(100ms);
        one.append(1);
    });
    const auto begun = std::chrono::steady_clock::now();
    auto read = world.reader().next(60s);
    // The first call may be spent on connecting.
    while (!read || read->empty()) {
        REQUIRE(std::chrono::steady_clock::now() - begun < 120s);
        read = world.reader().next(1s);
    }
    later.join();
    CHECK(read->entries.size() == 1);
    one.wait_for_answers();
    std::thread interrupter([&] {
        std::this_thread::sleep_for(100ms);
        world.reader().interrupt();
    });
    const auto waiting_since = std::chrono::steady_clock::now();
    const auto nothing = world.reader().next(10min);
    interrupter.join();
    CHECK(std::chrono::steady_clock::now() - waiting_since < 60s);
    CHECK((!nothing || nothing->empty()));
}
