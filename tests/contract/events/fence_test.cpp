// Which events the log takes on RabbitMQ: those of a token that is bound, and was not
// unbound since.

#include <catch2/catch.hpp>

#include <random>

#include <flashsale/amqp.hpp>
#include <flashsale/events/amqp.hpp>

#include "eventually.hpp"
#include "log_world.hpp"
#include "stack.hpp"

using namespace flashsale;
using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

using ends = std::vector<events::outcome>;
using events::outcome;

struct fenced_log {
    explicit fenced_log(std::string names = "test" + std::to_string(std::random_device{}()))
        : name(std::move(names)) {
        options.url = std::getenv("FLASHSALE_AMQP__URL");
        options.name_prefix = name;
        options.deployment = "one";
        start();
    }
    ~fenced_log() { log->stop(1s); }

    void start() {
        log = events::make_amqp_log(options, [this](const uuid& token) {
            const std::lock_guard lock(mutex);
            returned.push_back(token);
        });
        log->start();
        if (!eventually(10s, [&] { return log->state() == events::log_state::up; }))
            throw std::runtime_error("the log: " + log->fault());
    }

    /// What became of one event of this token.
    outcome publish(const uuid& token) {
        log_world::worker one(*log);
        REQUIRE(one.append(1, token));
        one.wait_for_answers();
        REQUIRE(one.answers().at(1).size() == 1);
        return one.answers().at(1).front();
    }

    std::vector<uuid> came_back() {
        const std::lock_guard lock(mutex);
        return returned;
    }

    const std::string name;
    events::amqp_options options;
    std::mutex mutex;
    std::vector<uuid> returned;
    std::unique_ptr<events::log> log;
    uuid_generator make;
};

}  // namespace

TEST_CASE("fence: no event is taken of a token that nobody has bound, nor after it was unbound") {
    fenced_log world;
    const uuid first = world.make.make(), second = world.make.make();
    CHECK(world.publish(first) == outcome::returned);
    CHECK(world.came_back() == std::vector{first});
    REQUIRE(world.log->bind(first).has_value());
    CHECK(world.publish(first) == outcome::durable);
    CHECK(world.publish(second) == outcome::returned);
    REQUIRE(world.log->bind(second).has_value());
    REQUIRE(world.log->unbind(std::span(&first, 1)).has_value());
    CHECK(world.publish(first) == outcome::returned);
    CHECK(world.publish(second) == outcome::durable);
    REQUIRE(world.log->unbind(std::span(&first, 1)).has_value());  // and again, to no effect
    CHECK(world.publish(second) == outcome::durable);
}

TEST_CASE("fence: connecting, preparing and reading bind nothing") {
    fenced_log world;
    const uuid token = world.make.make();
    REQUIRE(world.log->bind(token).has_value());
    REQUIRE(world.publish(token) == outcome::durable);
    REQUIRE(world.log->unbind(std::span(&token, 1)).has_value());
    world.log->stop(1s);
    world.start();
    REQUIRE(world.log->prepare().has_value());
    const auto reader = events::make_amqp_reader(world.options);
    std::size_t read = 0;
    REQUIRE(eventually(10s, [&] {
        const auto some = reader->next(100ms);
        if (some) read += some->entries.size();
        return read == 1;
    }));
    CHECK(world.publish(token) == outcome::returned);
    reader->close();
}

TEST_CASE("fence: a message has events of one token, whatever was appended between them") {
    fenced_log world;
    const uuid bound = world.make.make(), unbound = world.make.make();
    REQUIRE(world.log->bind(bound).has_value());
    log_world::worker one(*world.log), two(*world.log);
    for (std::uint64_t i = 0; i < 600; ++i) {
        REQUIRE(one.append(i, i % 3 == 0 ? unbound : bound, false));
        REQUIRE(two.append(i, i % 2 == 0 ? unbound : bound, false));
    }
    one.flush();
    two.flush();
    one.wait_for_answers();
    two.wait_for_answers();
    for (std::uint64_t i = 0; i < 600; ++i) {
        CHECK(one.answers().at(i) == ends{i % 3 == 0 ? outcome::returned : outcome::durable});
        CHECK(two.answers().at(i) == ends{i % 2 == 0 ? outcome::returned : outcome::durable});
    }
}

TEST_CASE("fence: that a token is unbound is proved, also of a queue that is not ours") {
    fenced_log world;
    const uuid tokens[] = {world.make.make(), world.make.make(), world.make.make()};
    CHECK(world.log->prove_unbound(tokens).has_value());
    CHECK(world.log->prove_unbound({}).has_value());
    REQUIRE(world.log->bind(tokens[1]).has_value());
    const auto disproved = world.log->prove_unbound(tokens);
    REQUIRE_FALSE(disproved.has_value());
    CHECK_THAT(disproved.error(), Catch::Contains(tokens[1].to_string()));
    REQUIRE(world.log->unbind(tokens).has_value());
    CHECK(world.log->prove_unbound(tokens).has_value());

    amqp::options settings;
    settings.url = world.options.url;
    amqp::topology foreign;
    foreign.exchange = world.name + ".log";
    foreign.owner = foreign.exchange + ".of.one";
    foreign.queue = world.name + ".foreign";
    foreign.binding_key = tokens[0].to_string();
    foreign.dead_letter_exchange = foreign.dead_letter_queue = world.name + ".foreign.dead";
    REQUIRE(amqp::declare(settings, foreign).has_value());
    REQUIRE(world.log->unbind(tokens).has_value());
    CHECK_FALSE(world.log->prove_unbound(tokens).has_value());
    // What it tried is in the reader's way for nothing.
    const auto reader = events::make_amqp_reader(world.options);
    REQUIRE(world.log->bind(tokens[2]).has_value());
    REQUIRE(world.publish(tokens[2]) == outcome::durable);
    std::vector<events::entry> read;
    REQUIRE(eventually(10s, [&] {
        auto some = reader->next(100ms);
        if (some) std::ranges::move(some->entries, std::back_inserter(read));
        return !read.empty();
    }));
    CHECK(read.size() == 1);
    CHECK(read.front().has_value());
    reader->close();
}

TEST_CASE("fence: what another deployment has declared is refused") {
    fenced_log world;
    events::amqp_options other = world.options;
    other.deployment = "another";
    const auto log = events::make_amqp_log(other);
    const auto prepared = log->prepare();
    REQUIRE_FALSE(prepared.has_value());
    CHECK_THAT(prepared.error(), Catch::Contains("another deployment's"));
    CHECK_THAT(prepared.error(), Catch::Contains(world.name + ".log.of.one"));
    CHECK_THAT(prepared.error(), Catch::Contains(world.name + ".log.of.another"));
    const uuid token = world.make.make();
    CHECK_FALSE(log->bind(token).has_value());
    CHECK(world.publish(token) == outcome::returned);
}

TEST_CASE("fence: an earlier version's exchange goes, what is in its queue stays") {
    const std::string name = "test" + std::to_string(std::random_device{}());
    amqp::options settings;
    settings.url = std::getenv("FLASHSALE_AMQP__URL");
    amqp::topology older;
    older.exchange = name + ".events";
    older.queue = name + ".recorder";
    older.binding_key = "order.accepted";
    older.dead_letter_exchange = older.dead_letter_queue = name + ".dead";
    REQUIRE(amqp::declare(settings, older).has_value());
    const std::string keys[] = {older.binding_key};
    REQUIRE(amqp::find_bound(settings, older, keys, "[" + numbered_event(1) + "]", 5s)->size() ==
            1);

    fenced_log world(name);
    const auto reader = events::make_amqp_reader(world.options);
    std::vector<events::entry> read;
    REQUIRE(eventually(10s, [&] {
        auto some = reader->next(100ms);
        if (some) std::ranges::move(some->entries, std::back_inserter(read));
        return !read.empty();
    }));
    CHECK(seqs_of(read) == numbers(1, 1));
    reader->close();
    CHECK(stack::rabbitmqctl({"list_exchanges", "name", "--quiet"}).find(older.exchange) ==
          std::string::npos);
}
