// Which reason wins when several refuse, what a refusal says besides, and by whose clock a grant is
// dated: on each adapter.

#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

#include <map>
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

enum class window { open, too_early, over };
enum class key { fresh, used, reused };

constexpr std::int64_t buyer = 7;
constexpr std::int64_t wanted = 2;

/// A product of which the buyer has two already, under "used", unless its sale is still to come.
struct offer {
    window when;
    bool beyond_limit;
    bool short_of_stock;
    std::int64_t id = 0;
    std::int64_t limit = 0, free = 0;
    timestamp starts{};
};

/// All that refuses; the first of them is the reason.
std::vector<std::string> reasons(const offer& of, key with, bool full) {
    std::vector<std::string> out;
    if (with == key::reused) out.push_back("idempotency_key_reused");
    if (with == key::used) out.push_back("pending");
    if (of.when == window::too_early) out.push_back("sale_not_open");
    if (of.when == window::over) out.push_back("sale_over");
    if (of.beyond_limit) out.push_back("purchase_limit");
    if (of.short_of_stock) out.push_back("out_of_stock");
    if (full) out.push_back("overloaded");
    out.push_back("granted");
    return out;
}

std::vector<offer> make_offers(gate_world& world) {
    std::vector<offer> all;
    for (const window when : {window::over, window::open, window::too_early}) {
        for (const bool beyond_limit : {false, true}) {
            for (const bool short_of_stock : {false, true})
                all.push_back({when, beyond_limit, short_of_stock});
        }
    }
    const auto now = wall_clock_now();
    for (offer& one : all) {
        const bool early = one.when == window::too_early;
        const std::int64_t bought = early ? 0 : wanted;
        one.limit = one.beyond_limit ? bought + 1 : 1'000;
        one.free = one.short_of_stock ? 1 : 1'000;
        one.starts = std::chrono::floor<std::chrono::seconds>(now) + 1h;
        std::optional<timestamp> starts, ends;
        if (early) starts = one.starts;
        if (one.when == window::over) ends = now + 5s;
        one.id = world.make_product(one.free + bought, one.limit, starts, ends);
        if (early) continue;
        REQUIRE(word(world.reserve_one(world.sale(one.id, buyer, wanted, "used"))) == "granted");
    }
    CHECK(eventually(60s, [&] {
        return word(world.reserve_one(world.sale(all[0].id, 8, 1'000'000, "new"))) == "sale_over";
    }));
    return all;
}

void check_details(const offer& of, const decision& made) {
    if (made) return;
    const refusal& why = made.error();
    const std::int64_t bought = of.when == window::too_early ? 0 : wanted;
    if (why == errc::purchase_limit) CHECK(why.left == of.limit - bought);
    if (why == errc::out_of_stock) CHECK(why.left == of.free);
    if (why == errc::sale_not_open) {
        CHECK(why.opens_at == of.starts);
        CHECK(why.opens_in_s <= 3'600);
        CHECK(why.opens_in_s > 3'000);
    }
}

}  // namespace

TEST_CASE("gate: of several reasons to refuse the same one wins, in every gate") {
    const adapter kind = any();
    constexpr std::size_t outbox_max = 40;
    gate_world world(kind, outbox_max);
    auto offers = make_offers(world);

    std::set<std::string> seen;
    std::size_t combinations = 0;
    const auto ask_all = [&](bool full) {
        std::vector<reservation> together;
        std::vector<std::pair<const offer*, std::string>> expected;
        for (const offer& of : offers) {
            for (const key with : {key::fresh, key::used, key::reused}) {
                if (with != key::fresh && of.when == window::too_early) continue;
                const auto why = reasons(of, with, full);
                INFO("window " << static_cast<int>(of.when) << ", beyond the limit "
                               << of.beyond_limit << ", short of stock " << of.short_of_stock
                               << ", key " << static_cast<int>(with) << ", outbox full " << full);
                const auto ask = [&] {
                    return world.sale(of.id, buyer, with == key::reused ? wanted + 1 : wanted,
                                      with == key::fresh ? "fresh" : "used");
                };
                const auto made = world.reserve_one(ask());
                CHECK(word(made) == why.front());
                check_details(of, made);
                seen.insert(word(made));
                ++combinations;
                if (why.front() == "granted") {  // a third of them, and it would be another product
                    REQUIRE(world.prune(*made).has_value());
                    continue;
                }
                together.push_back(ask());
                expected.emplace_back(&of, why.front());
            }
        }
        const auto made = world.reserve(std::move(together));
        REQUIRE(made.size() == expected.size());
        for (std::size_t i = 0; i < made.size(); ++i) {
            CHECK(word(made[i]) == expected[i].second);
            check_details(*expected[i].first, made[i]);
        }
        CHECK(word(world.reserve_one(world.sale(offers.back().id + 1'000, buyer, wanted,
                                                "used"))) == "product_not_found");
    };
    ask_all(false);

    const auto filling = world.make_product(1'000'000);
    std::int64_t user = 1'000;
    CHECK(eventually(60s, [&] {
        return word(world.reserve_one(world.sale(filling, ++user, 1, "fill"))) == "overloaded";
    }));
    // What was granted above is no combination any more: its key is used.
    for (const offer& of : offers) {
        if (of.when != window::open || of.beyond_limit || of.short_of_stock) continue;
        CHECK(word(world.reserve_one(world.sale(of.id, buyer + 1, wanted, "fresh"))) ==
              "overloaded");
    }
    std::erase_if(offers, [](const offer& of) {
        return of.when == window::open && !of.beyond_limit && !of.short_of_stock;
    });
    ask_all(true);
    CHECK(combinations == 28 + 25);
    CHECK(seen == std::set<std::string>{"granted", "pending", "idempotency_key_reused",
                                        "sale_not_open", "sale_over", "purchase_limit",
                                        "out_of_stock"});
}

TEST_CASE("gate: a refusal says what is left, user by user and product by product, in one batch") {
    gate_world world(any());
    const auto limited = world.make_product(100, 5);
    const auto little = world.make_product(3);
    const auto none = world.make_product(0);
    REQUIRE(word(world.reserve_one(world.sale(limited, 1, 5, "a"))) == "granted");
    REQUIRE(word(world.reserve_one(world.sale(limited, 2, 2, "a"))) == "granted");
    REQUIRE(word(world.reserve_one(world.sale(limited, 3, 2, "a"))) == "granted");
    for (int again = 0; again < 2; ++again) {  // before and after it is known to be sold out
        std::vector<reservation> batch;
        for (const std::int64_t user : {1, 2, 3, 4})
            batch.push_back(world.sale(limited, user, 6, "b"));
        batch.push_back(world.sale(little, 1, 4, "b"));
        batch.push_back(world.sale(none, 1, 4, "b"));
        batch.push_back(world.sale(none, 2, 5, "b"));
        batch.push_back(world.sale(little, 2, 4, "b"));
        batch.push_back(world.reduction(little, 4, "b"));
        std::vector<std::int64_t> left;
        for (const auto& made : world.reserve(std::move(batch))) {
            REQUIRE_FALSE(made.has_value());
            left.push_back(made.error().left);
        }
        CHECK(left == std::vector<std::int64_t>{0, 3, 3, 5, 3, 0, 0, 3, 3});
    }
}

TEST_CASE("gate: a grant is dated by the gate's clock as it decides, a repeat like the first") {
    gate_world world(any());
    const auto product = world.make_product(10);
    const auto before = std::chrono::floor<std::chrono::milliseconds>(wall_clock_now());
    auto first = world.reserve_one(world.sale(product, 7, 1, "key"));
    const auto after = wall_clock_now();
    REQUIRE(word(first) == "granted");
    CHECK(first->id.time() >=
          before);  // the reservation says 1970; all servers are of this machine
    CHECK(first->id.time() <= after);
    CHECK(first->id.shard() == 0);
    const auto event = order_in(first->event);
    CHECK(event.id == first->id);
    CHECK(event.created_at == first->id.time());
    CHECK(world.outbox() == std::vector<std::string>{first->event});
    CHECK(world.find_event(first->id).value() == std::optional(first->event));

    const auto again = world.reserve_one(world.sale(product, 7, 1, "key"));
    REQUIRE(word(again) == "pending");
    CHECK(again->id == first->id);
    CHECK(again->event == first->event);

    // What a gate has granted before, and another is asked for, keeps its id.
    auto late = world.sale(product, 8, 1, "key");
    late.dated_by_gate = false;
    late.id.set_time(timestamp{1'700'000'000s});
    const auto kept = world.reserve_one(late);
    REQUIRE(word(kept) == "granted");
    CHECK(kept->id == late.id);
    CHECK(world.find_event(late.id).value() == std::optional(kept->event));
}

TEST_CASE("gate: nothing is dated before its sale begins, not by a fraction of a millisecond") {
    gate_world world(any());
    for (int round = 0; round < 20; ++round) {
        const auto starts = wall_clock_now() + 20ms;
        const auto product =
            world.make_product(1, std::nullopt, starts + std::chrono::microseconds{round * 50});
        std::optional<uuid> id;
        REQUIRE(eventually(60s, [&] {
            const auto made = world.reserve_one(world.sale(product, 7, 1, "key"));
            if (made) id = made->id;
            return made.has_value();
        }));
        CHECK(id->time() >= starts + std::chrono::microseconds{round * 50});
    }
}

TEST_CASE("gate: a page of the outbox says of which gate it is, and when that was by its clock") {
    gate_world world(any());
    const auto before = wall_clock_now() - 1ms;
    const auto page = world.wait_for<std::expected<stock::gate::outbox_page, errc>>(
        [&](auto done) { world.gate().read_outbox(0, {}, std::move(done)); });
    REQUIRE(page.has_value());
    CHECK(page->events.empty());
    CHECK(page->next_cursor.empty());
    CHECK(page->epoch == 1);
    CHECK(page->read_at >= before);
    CHECK(page->read_at <= wall_clock_now() + 1ms);
}
