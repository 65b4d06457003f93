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
class played_gate final : public gate {
public:
    batching_limits batching() const override { return {128, 1}; }
    void reserve(std::vector<reservation> batch, callback<std::vector<decision>> done) override {
        asked = std::move(batch);
        answer = std::move(done);
    }
    void give(std::vector<gate_product>, callback<std::expected<void, errc>>) override {}
    void settle(std::vector<settled_event>, callback<std::expected<void, errc>>) override {}
    void available(
        std::vector<std::int64_t>,
        callback<std::expected<std::vector<std::optional<std::int64_t>>, errc>>) override {}
    void find_event(uuid, callback<std::expected<std::optional<std::string>, errc>>) override {}
    std::expected<void, std::string> check() const override { return {}; }
    void read_levels(std::uint32_t, std::vector<std::int64_t>,
                     callback<std::expected<levels, errc>>) override {}
    void read_outbox(std::uint32_t, std::string,
                     callback<std::expected<outbox_page, errc>>) override {}

    std::vector<reservation> asked;
    callback<std::vector<decision>> answer;
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
    std::vector<std::string> appended;
    std::vector<std::uint64_t> tickets;
    std::function<void(std::span<const events::confirmation>)> confirmed;

private:
    class played_producer final : public producer {
    public:
        explicit played_producer(played_log& to) : to_(to) {}
        bool append(std::string event, std::uint64_t ticket) override {
            if (to_.full) return false;
            waiting_.emplace_back(std::move(event), ticket);
            return true;
        }
        void flush() override {
            for (auto& [event, ticket] : std::exchange(waiting_, {})) {
                to_.appended.push_back(std::move(event));
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

    explicit played_world(std::chrono::milliseconds confirm_deadline = 1h)
        : reserves(make_reserver(io, gate, log, 1, {confirm_deadline, 2})) {}

    void ask(std::int64_t user = 7) {
        reserves->reserve({operation::sale, 3, user, 1, "key"},
                          [this](std::expected<accepted, errc> answer) {
                              answers.push_back(answer ? answer->replayed ? "repeat" : "accepted"
                                                       : std::string(name_of(answer.error())));
                          });
    }
    void turn() {
        io.restart();
        io.poll();
    }
    /// All that were asked for are granted.
    void grant(bool repeat = false, bool recorded = false) {
        std::vector<decision> all;
        for (const reservation& one : gate.asked)
            all.emplace_back(grant_of(one.id, repeat, recorded));
        std::exchange(gate.answer, {})(std::move(all));
    }
    static stock::grant grant_of(uuid id, bool repeat, bool recorded) {
        return {id, 1'999, repeat, recorded, recorded ? "" : "event"};
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
    CHECK(world.log.appended == words{"event"});
    CHECK(world.answers.empty());
    world.log.confirm(events::outcome::durable);
    CHECK(world.answers == words{"accepted"});
}

TEST_CASE("reserver: what the log refuses, loses or has no room for is unknown") {
    played_world world;
    world.ask();
    world.turn();
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
    world.io.restart();
    world.io.run_for(400ms);
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
        CHECK(world.log.appended == words{"event"});
        CHECK(world.answers.empty());
        world.log.confirm(events::outcome::durable);
    }
    SECTION("recorded: nothing is left to confirm") {
        world.grant(true, true);
        CHECK(world.log.appended.empty());
    }
    CHECK(world.answers == words{"repeat"});
}

TEST_CASE("reserver: what the gate refuses is refused, and published by nobody") {
    played_world world;
    world.ask();
    world.turn();
    std::exchange(world.gate.answer, {})({std::unexpected(errc::out_of_stock)});
    CHECK(world.answers == words{"out_of_stock"});
    CHECK(world.log.appended.empty());
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
