// From a grant to the answer, with a gate and a log that the test plays.

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/stock/module.hpp>

using namespace flashsale;
using namespace flashsale::stock;
using namespace std::chrono_literals;

namespace {

/// Keeps what it is asked until the test answers.
class played_gate final : public gate_decisions {
public:
    explicit played_gate(const batching_limits& limits) : limits_(limits) {}
    batching_limits batching() const override { return limits_; }
    void reserve(std::vector<reservation> batch, callback<std::vector<decision>> done) override {
        if (answer) {
            answers_before.push_back(std::move(answer));
            asked_before.push_back(std::move(asked));
        }
        asked = std::move(batch);
        answer = std::move(done);
    }
    void give(std::vector<gate_product>, callback<std::expected<void, errc>>) override {
        FAIL("a reserver gives nothing");
    }
    void take_returns(returned_units, callback<std::expected<void, errc>>) override {
        FAIL("a reserver takes nothing back");
    }

    // The batch asked for last, and those that were still unanswered then.
    std::vector<reservation> asked;
    callback<std::vector<decision>> answer;
    std::deque<std::vector<reservation>> asked_before;
    std::deque<callback<std::vector<decision>>> answers_before;

private:
    const batching_limits limits_;
};

/// Keeps what is appended until the test confirms it.
class played_log final : public events::log {
public:
    std::unique_ptr<producer> open_producer(
        asio::io_context&,
        std::function<void(std::span<const events::confirmation>)> function) override {
        confirmed = std::move(function);
        return std::make_unique<played_producer>(*this);
    }
    events::log_state state() const override { return now; }
    std::string fault() const override { return {}; }
    std::uint64_t appended() const override { return 0; }
    void start() override {}
    void stop(std::chrono::milliseconds) override {}

    void confirm(events::outcome what) {
        for (const auto ticket : std::exchange(tickets, {})) {
            const events::confirmation one{ticket, what};
            confirmed(std::span(&one, 1));
        }
    }

    events::log_state now = events::log_state::up;
    bool full = false;
    std::vector<std::string> sent;
    std::vector<std::uint64_t> tickets;
    std::function<void(std::span<const events::confirmation>)> confirmed;

private:
    class played_producer final : public producer {
    public:
        explicit played_producer(played_log& to) : to_(to) {}
        bool append(std::string event, const uuid&, std::uint64_t ticket) override {
            if (to_.full) return false;
            waiting_.emplace_back(std::move(event), ticket);
            return true;
        }
        void flush() override {
            for (auto& [event, ticket] : std::exchange(waiting_, {})) {
                to_.sent.push_back(std::move(event));
                to_.tickets.push_back(ticket);
            }
        }

    private:
        played_log& to_;
        std::vector<std::pair<std::string, std::uint64_t>> waiting_;
    };
};

struct played_world {
    asio::io_context io;
    played_gate gate;
    played_log log;
    std::unique_ptr<reserver> reserves;
    std::vector<std::string> answers;

    explicit played_world(std::chrono::milliseconds confirm_deadline = 1h,
                          std::size_t batches_max = 1, std::size_t waiting_max = 2)
        : played_world({.reservations_max = 128, .batches_in_flight_max = batches_max},
                       {confirm_deadline, waiting_max}) {}
    played_world(const gate_decisions::batching_limits& limits, const reserver_options& options)
        : gate(limits), reserves(make_reserver(io, gate, log, 1, options)) {}

    void ask(std::int64_t user = 7) {
        reserves->reserve({operation::sale, 3, user, 1, "key"},
                          [this](std::expected<accepted, refusal> answer) {
                              answers.push_back(answer ? answer->replayed ? "repeat" : "accepted"
                                                       : std::string(name_of(answer.error())));
                          });
    }
    void turn() {
        io.restart();
        io.poll();
    }
    bool run_until(const std::function<bool()>& condition) {
        const auto patience = std::chrono::steady_clock::now() + 60s;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > patience) return false;
            io.restart();
            io.run_one_for(10ms);
        }
        return true;
    }
    /// All that were asked for last are granted.
    void grant(bool repeat = false, bool recorded = false) {
        auto all = grants_of(gate.asked, repeat, recorded);
        std::exchange(gate.answer, {})(std::move(all));
    }
    /// All of the oldest unanswered batch are.
    void grant_oldest() {
        auto all = grants_of(gate.asked_before.front(), false, false);
        gate.asked_before.pop_front();
        auto answer = std::move(gate.answers_before.front());
        gate.answers_before.pop_front();
        answer(std::move(all));
    }
    static std::vector<decision> grants_of(std::span<const reservation> asked, bool repeat,
                                           bool recorded) {
        std::vector<decision> all;
        for (const reservation& one : asked)
            all.emplace_back(grant_of(one.id, repeat, recorded));
        return all;
    }
    static stock::grant grant_of(uuid id, bool repeat, bool recorded) {
        return {id, 1'999, repeat, recorded, recorded ? "" : "event", {}};
    }
};

using words = std::vector<std::string>;

}  // namespace

TEST_CASE("reserver: a grant is no answer until the log has confirmed its event") {
    played_world world;
    world.ask();
    world.turn();
    REQUIRE(world.gate.asked.size() == 1);
    world.grant();
    world.turn();
    CHECK(world.log.sent == words{"event"});
    CHECK(world.answers.empty());
    world.log.confirm(events::outcome::durable);
    CHECK(world.answers == words{"accepted"});
}

TEST_CASE("reserver: what the log refuses, loses or has no room for is unknown") {
    played_world world;
    world.ask();
    world.turn();
    SECTION("returned") {
        world.grant();
        world.log.confirm(events::outcome::returned);
    }
    SECTION("refused") {
        world.grant();
        world.log.confirm(events::outcome::refused);
    }
    SECTION("lost") {
        world.grant();
        world.log.confirm(events::outcome::unknown);
    }
    SECTION("no room") {
        world.log.full = true;
        world.grant();
    }
    CHECK(world.answers == words{"outcome_unknown"});
}

TEST_CASE("reserver: the deadline starts when the gate is asked") {
    played_world world(100ms);
    world.ask();
    world.turn();
    std::this_thread::sleep_for(101ms);  // the gate took all the time there was
    world.grant();
    world.log.confirm(events::outcome::durable);
    CHECK(world.answers == words{"outcome_unknown"});
}

TEST_CASE("reserver: a confirm that never comes ends as unknown by itself") {
    played_world world(100ms);
    world.ask();
    world.turn();
    world.grant();
    CHECK(world.run_until([&] { return !world.answers.empty(); }));
    CHECK(world.answers == words{"outcome_unknown"});
}

TEST_CASE("reserver: a log that is not up refuses before the gate is asked") {
    played_world world;
    world.log.now = GENERATE(events::log_state::down, events::log_state::blocked);
    world.ask();
    world.turn();
    CHECK(world.answers == words{"dependency_unavailable"});
    CHECK(world.gate.asked.empty());
}

TEST_CASE("reserver: a repeat is published again unless it is recorded") {
    played_world world;
    world.ask();
    world.turn();
    SECTION("pending: as durable as its own confirm") {
        world.grant(true, false);
        CHECK(world.log.sent == words{"event"});
        CHECK(world.answers.empty());
        world.log.confirm(events::outcome::durable);
    }
    SECTION("recorded: nothing is left to confirm") {
        world.grant(true, true);
        CHECK(world.log.sent.empty());
    }
    CHECK(world.answers == words{"repeat"});
}

TEST_CASE("reserver: what the gate refuses is refused, and published by nobody") {
    played_world world;
    world.ask();
    world.turn();
    std::exchange(world.gate.answer, {})({std::unexpected(errc::out_of_stock)});
    CHECK(world.answers == words{"out_of_stock"});
    CHECK(world.log.sent.empty());
}

TEST_CASE("reserver: beyond its limit it is overloaded, and the rest goes on") {
    played_world world;
    for (std::int64_t user = 1; user <= 3; ++user)
        world.ask(user);
    CHECK(world.answers == words{"overloaded"});
    world.turn();
    CHECK(world.gate.asked.size() == 2);
    world.grant();
    world.log.confirm(events::outcome::durable);
    CHECK(world.answers == words{"overloaded", "accepted", "accepted"});
}

TEST_CASE("reserver: what is granted waits for those that are at the gate, and for them alone") {
    played_world world(1h, 9, 1'000);
    std::int64_t user = 0;
    const auto ask_for_a_batch = [&](std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            world.ask(++user);
        world.turn();
    };
    SECTION("it travels with what they bring") {
        ask_for_a_batch(3);
        ask_for_a_batch(2);
        world.grant_oldest();
        CHECK(world.log.sent.empty());
        world.grant();
        CHECK(world.log.sent.size() == 5);
    }
    SECTION("unless it is worth a message") {
        ask_for_a_batch(100);
        ask_for_a_batch(2);
        world.grant_oldest();
        CHECK(world.log.sent.size() == 100);
    }
    SECTION("and not for all that come after them") {
        for (int i = 0; i < 5; ++i)
            ask_for_a_batch(1);
        for (int i = 0; i < 3; ++i)
            world.grant_oldest();
        CHECK(world.log.sent.empty());
        world.grant_oldest();
        CHECK(world.log.sent.size() == 4);
    }
    SECTION("nor for a gate that has fallen silent") {
        ask_for_a_batch(1);
        ask_for_a_batch(1);
        world.grant_oldest();
        CHECK(world.run_until([&] { return world.log.sent.size() == 1; }));
    }
}

TEST_CASE("reserver: one among others waits for his neighbours a while, one alone for nobody") {
    constexpr auto a_while = 50ms;
    const auto gathering_for = [](std::chrono::milliseconds time) {
        auto world = std::make_unique<played_world>(
            gate_decisions::batching_limits{.reservations_max = 128,
                                            .batches_in_flight_max = 9,
                                            .gather_max = time,
                                            .gathered_enough = 3},
            reserver_options{.confirm_deadline = 1h, .waiting_reservations_max = 1'000});
        world->ask(1);
        world->turn();
        REQUIRE(world->gate.asked.size() == 1);  // no other is under way
        return world;
    };

    SECTION("while others are at the gate") {
        SECTION("for the time that it takes") {
            const auto world = gathering_for(a_while);
            const auto began = std::chrono::steady_clock::now();
            world->ask(2);
            world->ask(3);
            CHECK(world->run_until([&] { return !world->gate.asked_before.empty(); }));
            CHECK(std::chrono::steady_clock::now() - began >= a_while);
            CHECK(world->gate.asked.size() == 2);
        }
        SECTION("and until enough have come") {
            const auto world = gathering_for(1h);
            for (const std::int64_t user : {2, 3}) {
                world->ask(user);
                world->turn();
                CHECK(world->gate.asked_before.empty());
            }
            world->ask(4);
            world->turn();
            REQUIRE(world->gate.asked_before.size() == 1);
            CHECK(world->gate.asked.size() == 3);
        }
    }
    SECTION("while others are in the log") {
        SECTION("for the time that it takes") {
            const auto world = gathering_for(a_while);
            world->grant();
            const auto began = std::chrono::steady_clock::now();
            world->ask(2);
            CHECK(world->run_until([&] { return bool(world->gate.answer); }));
            CHECK(std::chrono::steady_clock::now() - began >= a_while);
            CHECK(world->gate.asked.size() == 1);
        }
        SECTION("and until enough have come") {
            const auto world = gathering_for(1h);
            world->grant();
            for (const std::int64_t user : {2, 3}) {
                world->ask(user);
                world->turn();
                CHECK_FALSE(world->gate.answer);
            }
            world->ask(4);
            world->turn();
            REQUIRE(world->gate.answer);
            CHECK(world->gate.asked.size() == 3);
        }
    }
    SECTION("and all go at once again when the others are gone") {
        const auto world = gathering_for(1h);
        world->grant();
        world->log.confirm(events::outcome::durable);
        world->ask(2);
        world->turn();
        CHECK(world->gate.answer);
    }
}
