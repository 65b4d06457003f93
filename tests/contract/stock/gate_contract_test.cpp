// What every gate does, on each adapter. Where they differ, the test says so in words.

#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

#include <random>
#include <set>

#include "eventually.hpp"
#include "gate_world.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

std::string word(const decision& made) {
    if (!made) return std::string(name_of(made.error()));
    return !made->repeat ? "granted" : made->recorded ? "recorded" : "pending";
}

adapter any() {
    return GENERATE(adapter::redis, adapter::database, adapter::memory);
}

}  // namespace

TEST_CASE("gate: a grant takes the units and leaves the complete event in the outbox") {
    gate_world world(any());
    const auto product = world.make_product(10);
    const auto made = world.reserve_one(world.sale(product, 7, 3, "key"));
    REQUIRE(word(made) == "granted");
    CHECK(made->unit_price == 1'999);
    CHECK(world.available(product) == 7);

    const auto event = order_in(made->event);
    CHECK(event.id == made->id);
    CHECK(event.user_id == 7);
    CHECK(event.quantity == 3);
    CHECK(event.unit_price == 1'999);
    CHECK(event.seq == 1);
    CHECK(event.epoch == 1);
    // What is published and what is kept are the same bytes.
    CHECK(world.outbox() == std::vector<std::string>{made->event});
    CHECK(world.find_event(made->id).value() == std::optional(made->event));
    CHECK(world.find_events({uuid{}, made->id, uuid{}}) ==
          stock::gate::found_events{{}, made->event, {}});

    CHECK(world.prune(*made).has_value());
    CHECK(world.prune(*made).has_value());
    CHECK(world.outbox().empty());
    CHECK(world.find_event(made->id).value() == std::optional<std::string>{});
    CHECK(world.available(product) == 7);
}

TEST_CASE("gate: stock 1 and a crowd, one after the other and in one batch: one grant") {
    gate_world world(any());
    const auto product = world.make_product(1);
    std::vector<reservation> batch;
    const std::size_t crowd = world.gate().batching().reservations_max > 1 ? 200 : 20;
    for (std::size_t i = 1; i <= crowd; ++i) {
        batch.push_back(world.sale(product, static_cast<std::int64_t>(i), 1, "key"));
    }
    std::multiset<std::string> words;
    for (const auto& made : world.reserve(std::move(batch)))
        words.insert(word(made));
    CHECK(words.count("granted") == 1);
    // The database gate may also be beaten to a version three times.
    CHECK(words.count("out_of_stock") + words.count("high_traffic") == crowd - 1);
    CHECK(word(world.reserve_one(world.sale(product, 999, 1, "key"))) == "out_of_stock");
    CHECK(world.available(product) == 0);
}

TEST_CASE("gate: a key that was granted is granted again, and takes nothing") {
    gate_world world(any());
    const auto product = world.make_product(10, 5);
    const auto first = world.reserve_one(world.sale(product, 7, 2, "key"));
    REQUIRE(word(first) == "granted");
    const auto again = world.reserve_one(world.sale(product, 7, 2, "key"));
    REQUIRE(word(again) == "pending");
    CHECK(again->id == first->id);
    CHECK(again->unit_price == first->unit_price);
    CHECK(again->event == first->event);
    REQUIRE(world.prune(*first).has_value());
    const auto later = world.reserve_one(world.sale(product, 7, 2, "key"));
    REQUIRE(word(later) == "recorded");
    CHECK(later->id == first->id);
    CHECK(later->unit_price == first->unit_price);
    CHECK(world.available(product) == 8);

    CHECK(word(world.reserve_one(world.sale(product, 7, 3, "key"))) == "idempotency_key_reused");
    CHECK(word(world.reserve_one(world.sale(product, 8, 2, "key"))) == "granted");
    CHECK(word(world.reserve_one(world.reduction(product, 2, "key"))) == "granted");
    CHECK(word(world.reserve_one(world.reduction(product, 2, "key"))) == "pending");
    CHECK(world.available(product) == 4);
}

TEST_CASE("gate: twins in one batch are one grant") {
    gate_world world(any());
    const auto product = world.make_product(100);
    std::vector<reservation> batch;
    for (int i = 0; i < 10; ++i)
        batch.push_back(world.sale(product, 7, 1, "key"));
    std::set<uuid> ids;
    for (const auto& made : world.reserve(std::move(batch))) {
        // Under the database gate a twin may be beaten three times: then it asks again.
        if (!made) {
            CHECK(made.error() == errc::high_traffic);
            continue;
        }
        ids.insert(made->id);
        CHECK(made->event == world.outbox().front());
    }
    CHECK(ids.size() == 1);
    CHECK(world.available(product) == 99);
    CHECK(world.outbox().size() == 1);
}

TEST_CASE("gate: a repeat is answered before window, limit and stock are looked at") {
    gate_world world(any());
    const auto product = world.make_product(1, 1, std::nullopt, wall_clock_now() + 700ms);
    const auto first = world.reserve_one(world.sale(product, 7, 1, "key"));
    REQUIRE(word(first) == "granted");
    CHECK(word(world.reserve_one(world.sale(product, 7, 1, "other"))) == "purchase_limit");
    CHECK(word(world.reserve_one(world.sale(product, 8, 1, "other"))) == "out_of_stock");
    while (wall_clock_now() < first->id.time() + 1s) {
        world.io().restart();
        world.io().run_for(20ms);
    }
    CHECK(word(world.reserve_one(world.sale(product, 8, 1, "other"))) == "sale_over");
    CHECK(word(world.reserve_one(world.sale(product, 7, 1, "key"))) == "pending");
}

TEST_CASE("gate: the window opens and closes sales, not reductions") {
    gate_world world(any());
    const auto now = wall_clock_now();
    const auto early = world.make_product(10, std::nullopt, now + 1h, std::nullopt);
    const auto late = world.make_product(10, std::nullopt, std::nullopt, now - 1h);
    const auto open = world.make_product(10, std::nullopt, now - 1h, now + 1h);
    CHECK(word(world.reserve_one(world.sale(early, 7, 1, "key"))) == "sale_not_open");
    CHECK(word(world.reserve_one(world.sale(late, 7, 1, "key"))) == "sale_over");
    CHECK(word(world.reserve_one(world.sale(open, 7, 1, "key"))) == "granted");
    CHECK(word(world.reserve_one(world.reduction(early, 1, "key"))) == "granted");
    CHECK(world.available(early) == 9);
}

TEST_CASE("gate: the limit counts units of a user, over batches and within one") {
    gate_world world(any());
    const auto product = world.make_product(100, 5);
    REQUIRE(word(world.reserve_one(world.sale(product, 7, 3, "a"))) == "granted");
    CHECK(word(world.reserve_one(world.sale(product, 7, 3, "b"))) == "purchase_limit");
    CHECK(word(world.reserve_one(world.sale(product, 8, 6, "b"))) == "purchase_limit");
    CHECK(word(world.reserve_one(world.sale(product, 8, units_max, "b"))) == "purchase_limit");
    std::vector<reservation> batch;
    for (const char* key : {"c", "d", "e", "f"})
        batch.push_back(world.sale(product, 7, 1, key));
    std::multiset<std::string> words;
    for (const auto& made : world.reserve(std::move(batch)))
        words.insert(word(made));
    CHECK(words.count("granted") <= 2);
    CHECK(words.count("granted") >= 1);
    if (world.gate().batching().reservations_max > 1) CHECK(words.count("granted") == 2);
    CHECK(words.count("granted") + words.count("purchase_limit") + words.count("high_traffic") ==
          4);
    REQUIRE(word(world.reserve_one(world.reduction(product, 50, "r"))) == "granted");
}

TEST_CASE("gate: an unknown product, and a quantity beyond the stock, take nothing") {
    gate_world world(any());
    const auto product = world.make_product(5);
    CHECK(word(world.reserve_one(world.sale(product + 1, 7, 1, "key"))) == "product_not_found");
    CHECK(word(world.reserve_one(world.sale(product, 7, 6, "key"))) == "out_of_stock");
    CHECK(word(world.reserve_one(world.reduction(product, 6, "key"))) == "out_of_stock");
    CHECK(world.available(product) == 5);
    CHECK(world.available(product + 1) == std::nullopt);
    CHECK(world.outbox().empty());
}

TEST_CASE("gate: a batch of many products is decided product by product, in order") {
    gate_world world(any());
    const auto a = world.make_product(1), b = world.make_product(2);
    std::vector<std::string> words;
    for (auto& made : world.reserve({world.sale(a, 1, 1, "k")}))
        words.push_back(word(made));
    std::vector<reservation> batch;
    batch.push_back(world.sale(a, 2, 1, "k"));
    batch.push_back(world.sale(b, 2, 1, "k"));
    for (auto& made : world.reserve(std::move(batch)))
        words.push_back(word(made));
    CHECK(words == std::vector<std::string>{"granted", "out_of_stock", "granted"});
    CHECK(world.available(b) == 1);
}

TEST_CASE("gate: the outbox's limit refuses, and takes nothing") {
    const auto kind = any();
    gate_world world(kind, 3);
    const auto product = world.make_product(10'000);
    std::vector<decision> granted;
    const auto reserve_next = [&] {
        const auto user = static_cast<std::int64_t>(granted.size()) + 1;
        auto made = world.reserve_one(world.sale(product, user, 1, "key"));
        const auto what = word(made);
        if (made) granted.push_back(std::move(made));
        return what;
    };
    for (int i = 0; i < 3; ++i)
        REQUIRE(reserve_next() == "granted");
    // The database gate counts its backlog once a second, beside what it decides, and so lets some
    // more in before it knows.
    if (kind == adapter::database) {
        CHECK(eventually(60s, [&] { return reserve_next() == "overloaded"; }));
    }
    CHECK(reserve_next() == "overloaded");
    CHECK(word(world.reserve_one(world.sale(product, 1, 1, "key"))) == "pending");
    CHECK(world.available(product) == 10'000 - std::ssize(granted));
    CHECK(world.outbox().size() == granted.size());
    for (const auto& one : granted)
        REQUIRE(world.prune(*one).has_value());
    CHECK(eventually(60s, [&] { return reserve_next() == "granted"; }));
}

TEST_CASE("gate: what was given is applied once, whatever is repeated or comes late") {
    // Under the database gate the record is the gate, and giving says nothing new to it.
    gate_world world(GENERATE(adapter::redis, adapter::memory));
    const auto product = world.make_product(10);
    const auto given = [&](std::int64_t all) {
        REQUIRE(world.give({product, all, 1'999, {}, {}, {}}).has_value());
        return *world.available(product);
    };
    CHECK(given(10) == 10);
    CHECK(given(15) == 15);
    CHECK(given(15) == 15);
    CHECK(given(12) == 15);
    REQUIRE(word(world.reserve_one(world.sale(product, 1, 15, "key"))) == "granted");
    CHECK(given(15) == 0);
    CHECK(given(units_max) == units_max - 15);
    CHECK(given(units_max) == units_max - 15);
}

TEST_CASE("gate: the Redis gate and the one in memory decide the same crowd alike") {
    gate_world redis(adapter::redis, 42), memory(adapter::memory, 42);
    std::mt19937 random(Catch::rngSeed());
    const auto upto = [&](std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(1, most)(random);
    };
    const auto now = wall_clock_now();
    std::vector<std::int64_t> of_redis, of_memory;
    for (gate_world* world : {&redis, &memory}) {
        auto& ids = world == &redis ? of_redis : of_memory;
        ids.push_back(world->make_product(40));
        ids.push_back(world->make_product(60, 3));
        ids.push_back(world->make_product(60, std::nullopt, now + 1h, std::nullopt));
        ids.push_back(ids.back() + 1'000);
    }
    std::vector<std::pair<decision, decision>> granted;
    std::set<std::string> seen;
    for (int round = 0; round < 30; ++round) {
        std::vector<reservation> left, right;
        for (int i = 0; i < 20; ++i) {
            const auto product = static_cast<std::size_t>(upto(4) - 1);
            const auto user = upto(10), quantity = upto(2);
            const std::string key = std::to_string(upto(6));
            const bool reduces = upto(10) == 1;
            for (gate_world* world : {&redis, &memory}) {
                const auto id = (world == &redis ? of_redis : of_memory)[product];
                (world == &redis ? left : right)
                    .push_back(reduces ? world->reduction(id, quantity, key)
                                       : world->sale(id, user, quantity, key));
            }
        }
        auto by_redis = redis.reserve(std::move(left));
        auto by_memory = memory.reserve(std::move(right));
        REQUIRE(by_redis.size() == by_memory.size());
        const auto waiting = redis.outbox();
        for (std::size_t i = 0; i < by_redis.size(); ++i) {
            REQUIRE(word(by_redis[i]) == word(by_memory[i]));
            seen.insert(word(by_redis[i]));
            if (word(by_redis[i]) != "granted") continue;
            const auto left_event = events::parse(by_redis[i]->event);
            const auto right_event = events::parse(by_memory[i]->event);
            REQUIRE(left_event.has_value());
            REQUIRE(right_event.has_value());
            CHECK(std::ranges::find(waiting, by_redis[i]->event) != waiting.end());
            const auto place_of = [](const events::event& event) {
                const auto* order = std::get_if<events::order_accepted>(&event);
                return std::pair(events::base_of(event).epoch,
                                 order ? order->seq : std::get<events::stock_reduced>(event).seq);
            };
            CHECK(left_event->index() == right_event->index());
            CHECK(place_of(*left_event) == place_of(*right_event));
            granted.emplace_back(std::move(by_redis[i]), std::move(by_memory[i]));
        }
        while (granted.size() > 40) {
            REQUIRE(redis.prune(*granted.front().first).has_value());
            REQUIRE(memory.prune(*granted.front().second).has_value());
            granted.erase(granted.begin());
        }
        for (std::size_t product = 0; product < of_redis.size(); ++product) {
            CHECK(redis.available(of_redis[product]) == memory.available(of_memory[product]));
        }
    }
    // No answer was left out, or this proves less than it says.
    CHECK(seen == std::set<std::string>{"granted", "pending", "recorded", "idempotency_key_reused",
                                        "product_not_found", "sale_not_open", "purchase_limit",
                                        "out_of_stock", "overloaded"});
}

TEST_CASE(
    "gate: a product known to be sold out still answers repeats, limits and windows rightly") {
    gate_world world(any());
    const auto product = world.make_product(3, 2);
    const auto first = world.reserve_one(world.sale(product, 7, 2, "key"));
    REQUIRE(word(first) == "granted");
    REQUIRE(word(world.reserve_one(world.sale(product, 8, 1, "key"))) == "granted");
    for (int i = 0; i < 2; ++i) {  // before and after the gate's user has learnt of it
        CHECK(word(world.reserve_one(world.sale(product, 9, 1, "key"))) == "out_of_stock");
        CHECK(word(world.reserve_one(world.sale(product, 7, 1, "other"))) == "purchase_limit");
        CHECK(word(world.reserve_one(world.sale(product, 7, 1, "key"))) ==
              "idempotency_key_reused");
        const auto again = world.reserve_one(world.sale(product, 7, 2, "key"));
        REQUIRE(word(again) == "pending");
        CHECK(again->id == first->id);
        CHECK(again->event == first->event);
    }
    CHECK(world.available(product) == 0);
}

TEST_CASE("gate: units supplied after a sell-out are had, by as many as there are units") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(1);
    REQUIRE(word(world.reserve_one(world.sale(product, 1, 1, "key"))) == "granted");
    REQUIRE(word(world.reserve_one(world.sale(product, 2, 1, "key"))) == "out_of_stock");
    REQUIRE(word(world.reserve_one(world.sale(product, 2, 1, "key"))) == "out_of_stock");
    REQUIRE(world.give({product, 4, 1'999, {}, {}, {}}).has_value());
    std::vector<reservation> batch;
    for (std::int64_t user = 1; user <= 6; ++user)
        batch.push_back(world.sale(product, user, 1, "key"));
    std::vector<std::string> words;
    std::set<uuid> ids;
    for (const auto& made : world.reserve(std::move(batch))) {
        words.push_back(word(made));
        if (made) ids.insert(made->id);
        if (word(made) == "granted")
            CHECK(made->event.find(made->id.to_string()) != std::string::npos);
    }
    CHECK(words == std::vector<std::string>{"pending", "granted", "granted", "granted",
                                            "out_of_stock", "out_of_stock"});
    CHECK(ids.size() == 4);
    CHECK(world.outbox().size() == 4);
    CHECK(world.available(product) == 0);
    CHECK(word(world.reserve_one(world.sale(product, 2, 1, "key"))) == "pending");
}
