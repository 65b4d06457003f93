#include "memory/memory_gate_core.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <set>

#include "order_in.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using flashsale::stock::test::order_in;
using namespace std::chrono_literals;

namespace {

const timestamp noon{std::chrono::seconds{1'800'000'000}};

struct shop {
    explicit shop(std::size_t outbox_max = 1'000'000) : core(outbox_max) { core.open(1); }

    reservation sale(std::int64_t product, std::int64_t user, std::int64_t quantity,
                     std::string key) {
        reservation out;
        out.product_id = product;
        out.user_id = user;
        out.quantity = quantity;
        out.idempotency_key = keys.emplace_back(std::move(key));
        out.id = ids.make(0, noon);
        return out;
    }

    decision ask(reservation what, timestamp now = noon) {
        return std::move(core.reserve(std::span(&what, 1), now).front());
    }

    std::int64_t free(std::int64_t product) { return *core.available({&product, 1})->front(); }

    void give(std::int64_t product, std::int64_t supplied,
              std::optional<std::int64_t> limit = std::nullopt) {
        const gate_product what{product, supplied, 1'999, limit, {}, {}};
        REQUIRE(core.give({&what, 1}).has_value());
    }

    void prune(const uuid& id) {
        const recorded_event one{id, 0, 1};
        core.prune({&one, 1});
    }

    memory_gate_core core;
    uuid_generator ids;
    std::deque<std::string> keys;  // which reservations point to
};

/// To user 7.
allocation sold(const uuid& id, std::int64_t product, std::int64_t quantity, std::int64_t price,
                std::string key) {
    return {.order_id = id,
            .product_id = product,
            .user_id = 7,
            .quantity = quantity,
            .unit_price = price,
            .idempotency_key = std::move(key)};
}

std::string word(const decision& made) {
    if (!made) return std::string(name_of(made.error()));
    return !made->repeat ? "granted" : made->recorded ? "recorded" : "pending";
}

}  // namespace

TEST_CASE("memory gate: before it is open it decides nothing") {
    memory_gate_core core(10);
    core.load(gate_product{1, 10, 1'999, {}, {}, {}});
    reservation one;
    one.product_id = 1;
    one.quantity = 1;
    const std::int64_t id = 1;
    CHECK(core.reserve({&one, 1}, noon).front().error() == errc::rebuilding);
    CHECK(core.available({&id, 1}).error() == errc::rebuilding);
    CHECK(core.find_event(uuid{}).error() == errc::rebuilding);
    CHECK(core.read_outbox("", 10).error() == errc::rebuilding);
    core.open(3);
    CHECK(core.available({&id, 1})->front() == 10);
    CHECK(core.read_levels({&id, 1})->epoch == 3);
}

TEST_CASE("memory gate: what the record has taken is gone, and its keys are known") {
    memory_gate_core core(10);
    core.load(gate_product{1, 10, 500, 4, {}, {}});
    uuid_generator ids;
    const uuid order = ids.make(), reduction = ids.make();
    CHECK(core.load(sold(order, 1, 3, 400, "key")));
    CHECK(core.load({.order_id = reduction,
                     .what = operation::reduction,
                     .product_id = 1,
                     .quantity = 2,
                     .idempotency_key = "key"}));
    CHECK_FALSE(core.load(sold(order, 2, 3, 400, "key")));
    core.open(2);
    const std::int64_t id = 1;
    CHECK(core.available({&id, 1})->front() == 5);

    const auto ask = [&](operation what, std::int64_t user, std::int64_t quantity) {
        reservation one;
        one.what = what;
        one.product_id = 1;
        one.user_id = user;
        one.quantity = quantity;
        one.idempotency_key = "key";
        one.id = ids.make();
        return std::move(core.reserve({&one, 1}, noon).front());
    };
    const auto again = ask(operation::sale, 7, 3);
    REQUIRE(word(again) == "recorded");
    CHECK(again->id == order);
    CHECK(again->unit_price == 400);
    CHECK(word(ask(operation::sale, 7, 2)) == "idempotency_key_reused");
    CHECK(ask(operation::reduction, 0, 2)->id == reduction);
    CHECK(word(ask(operation::sale, 8, 5)) == "purchase_limit");
    CHECK(word(ask(operation::sale, 8, 4)) == "granted");
    CHECK(core.read_levels({&id, 1})->seq == 1);
}

TEST_CASE("memory gate: a limit counts what the record has of the user") {
    memory_gate_core core(10);
    core.load(gate_product{1, 10, 500, 2, {}, {}});
    core.load(sold(uuid{}, 1, 1, 500, "a"));
    core.open(1);
    shop names;
    auto more = names.sale(1, 7, 2, "b");
    CHECK(word(core.reserve({&more, 1}, noon).front()) == "purchase_limit");
    auto one = names.sale(1, 7, 1, "b");
    CHECK(word(core.reserve({&one, 1}, noon).front()) == "granted");
}

TEST_CASE("memory gate: a product's own currency comes with what it grants, and with what it had") {
    memory_gate_core core(10);
    core.load(gate_product{1, 10, 500, {}, {}, {}, *currency_code::parse("USD")});
    uuid_generator ids;
    CHECK(core.load(sold(ids.make(), 1, 3, 400, "a")));
    core.open(2);
    shop names;
    auto known = names.sale(1, 7, 3, "a"), fresh = names.sale(1, 7, 1, "b");
    const auto again = core.reserve({&known, 1}, noon);
    const auto made = core.reserve({&fresh, 1}, noon);
    REQUIRE(word(again.front()) == "recorded");
    REQUIRE(word(made.front()) == "granted");
    CHECK(again.front()->currency.text() == "USD");
    CHECK(made.front()->currency.text() == "USD");
    CHECK(order_in(made.front()->event).currency.text() == "USD");
}

TEST_CASE(
    "memory gate: a product's payment window comes with what it grants, and with what it had") {
    memory_gate_core core(10);
    core.load(gate_product{1, 10, 500, {}, {}, {}, {}, 300});
    core.load(gate_product{2, 10, 500, {}, {}, {}});
    uuid_generator ids;
    CHECK(core.load(sold(ids.make(), 1, 3, 400, "a")));
    core.open(2);
    shop names;
    const auto ask = [&](reservation one) { return core.reserve({&one, 1}, noon).front(); };
    const auto again = ask(names.sale(1, 7, 3, "a"));
    const auto made = ask(names.sale(1, 7, 1, "b")), pending = ask(names.sale(1, 7, 1, "b"));
    const auto outright = ask(names.sale(2, 7, 1, "b"));
    REQUIRE(word(again) == "recorded");
    REQUIRE(word(made) == "granted");
    REQUIRE(word(pending) == "pending");
    for (const decision& each : {again, made, pending})
        CHECK(each->payment_window_s == 300);
    CHECK(order_in(made->event).payment_window_s == 300);
    CHECK(outright->payment_window_s == 0);
    CHECK(order_in(outright->event).payment_window_s == 0);
}

TEST_CASE("memory gate: the event of a grant is the one that every gate writes") {
    shop at;
    at.give(1, 10);
    auto one = at.sale(1, 7, 2, "a \"key\"");
    events::order_accepted expected;
    expected.id = one.id;
    expected.user_id = 7;
    expected.product_id = 1;
    expected.quantity = 2;
    expected.idempotency_key = "a \"key\"";
    expected.created_at = one.id.time();
    expected.unit_price = 1'999;
    expected.epoch = 1;
    expected.seq = 1;
    const std::string written = at.ask(std::move(one))->event;
    CHECK(written == events::granted_text(expected));
    CHECK(order_in(written).idempotency_key == "a \"key\"");
}

TEST_CASE("memory gate: the window is of the time that the caller says") {
    shop at;
    const gate_product what{1, 10, 1'999, {}, noon, noon + 1h};
    REQUIRE(at.core.give({&what, 1}).has_value());
    CHECK(word(at.ask(at.sale(1, 7, 1, "a"), noon - 1us)) == "sale_not_open");
    CHECK(word(at.ask(at.sale(1, 7, 1, "a"), noon)) == "granted");
    CHECK(word(at.ask(at.sale(1, 8, 1, "a"), noon + 1h)) == "sale_over");
    CHECK(word(at.ask(at.sale(1, 7, 1, "a"), noon + 1h)) == "pending");
    CHECK(word(at.ask(at.sale(1, 8, 1, "a"), noon + 1h - 1us)) == "granted");
}

TEST_CASE("memory gate: entries pruned in any order leave, and the others are found") {
    shop at;
    at.give(1, 100);
    std::vector<uuid> ids;
    for (int i = 0; i < 10; ++i)
        ids.push_back(at.ask(at.sale(1, i + 1, 1, "key"))->id);
    std::set<int> there{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (const int gone : {3, 0, 9, 1, 5, 2, 4, 8, 6, 7}) {
        at.prune(ids[static_cast<std::size_t>(gone)]);
        at.prune(ids[static_cast<std::size_t>(gone)]);
        there.erase(gone);
        CHECK(at.core.outbox_events() == there.size());
        for (int i = 0; i < 10; ++i) {
            const auto event = at.core.find_event(ids[static_cast<std::size_t>(i)]);
            REQUIRE(event.has_value());
            CHECK(event->has_value() == there.contains(i));
            if (*event) CHECK(order_in(**event).id == ids[static_cast<std::size_t>(i)]);
            CHECK(word(at.ask(at.sale(1, i + 1, 1, "key"))) ==
                  (there.contains(i) ? "pending" : "recorded"));
        }
    }
    CHECK(word(at.ask(at.sale(1, 99, 1, "key"))) == "granted");
    CHECK(at.core.outbox_events() == 1);
}

TEST_CASE("memory gate: what an earlier epoch prunes is not this one's") {
    shop at;
    at.core.open(5);
    at.give(1, 1);
    const auto made = at.ask(at.sale(1, 7, 1, "key"));
    const recorded_event other{made->id, 0, 4};
    at.core.prune({&other, 1});
    CHECK(at.core.outbox_events() == 1);
    const recorded_event mine{made->id, 0, 5};
    at.core.prune({&mine, 1});
    CHECK(at.core.outbox_events() == 0);
}

TEST_CASE("memory gate: the outbox is read in pages, by seq") {
    shop at;
    at.give(1, 100);
    std::vector<uuid> ids;
    for (int i = 0; i < 25; ++i)
        ids.push_back(at.ask(at.sale(1, i + 1, 1, "key"))->id);
    at.prune(ids[0]);
    at.prune(ids[12]);
    std::vector<std::uint64_t> seqs;
    std::string cursor;
    do {
        const auto page = at.core.read_outbox(cursor, 10);
        REQUIRE(page.has_value());
        CHECK(page->events.size() <= 10);
        for (const auto& event : page->events)
            seqs.push_back(order_in(event).seq);
        cursor = page->next_cursor;
    } while (!cursor.empty());
    REQUIRE(seqs.size() == 23);
    CHECK(std::ranges::is_sorted(seqs));
    CHECK(seqs.front() == 2);
    CHECK(seqs.back() == 25);
}

TEST_CASE("memory gate: any mixture of orders, repeats, pruning and gifts adds up") {
    constexpr std::int64_t products = 3, users = 8, limit = 4;
    const auto seed = GENERATE(1u, 2u, 3u, 4u, 5u);
    std::mt19937 random(seed);
    const auto upto = [&](std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(1, most)(random);
    };
    shop at(20);
    std::map<std::int64_t, std::int64_t> given, sold;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> bought;
    std::map<std::string, std::pair<uuid, std::int64_t>> by_key;
    std::set<uuid> unpruned;
    for (std::int64_t p = 1; p <= products; ++p)
        at.give(p, given[p] = 30, p == 1 ? std::nullopt : std::optional(limit));
    for (int step = 0; step < 4'000; ++step) {
        const auto product = upto(products), user = upto(users), quantity = upto(3);
        if (upto(50) == 1) at.give(product, given[product] += upto(5));
        if (upto(3) == 1 && !unpruned.empty()) {
            const auto one = std::next(unpruned.begin(), upto(std::ssize(unpruned)) - 1);
            at.prune(*one);
            unpruned.erase(one);
        }
        const std::string key = std::to_string(upto(40));
        const std::string scoped = std::to_string(product) + "/" + std::to_string(user) + "/" + key;
        const auto before = by_key.find(scoped);
        const auto made = at.ask(at.sale(product, user, quantity, key));
        std::string expected = "granted";
        if (before != by_key.end()) {
            expected = before->second.second != quantity         ? "idempotency_key_reused"
                       : unpruned.contains(before->second.first) ? "pending"
                                                                 : "recorded";
        } else if (product != 1 && bought[{product, user}] + quantity > limit) {
            expected = "purchase_limit";
        } else if (given[product] - sold[product] < quantity) {
            expected = "out_of_stock";
        } else if (unpruned.size() >= 20) {
            expected = "overloaded";
        }
        REQUIRE(word(made) == expected);
        if (expected == "granted") {
            by_key[scoped] = {made->id, quantity};
            sold[product] += quantity;
            bought[{product, user}] += quantity;
            unpruned.insert(made->id);
        } else if (made) {
            REQUIRE(made->id == before->second.first);
        }
        REQUIRE(at.free(product) == given[product] - sold[product]);
        REQUIRE(at.core.outbox_events() == unpruned.size());
    }
}
