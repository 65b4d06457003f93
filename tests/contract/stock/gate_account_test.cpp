// What a gate has granted, read whether it is open or not, and the mark that keeps it shut.

#include <catch2/catch.hpp>

#include <flashsale/stock/gate_account.hpp>

#include <algorithm>

#include "gate_world.hpp"
#include "stack.hpp"
#include "stock_record.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

std::expected<void, std::string> go_on() {
    return {};
}

struct account_world {
    account_world() {
        options.key_prefix = world.key_prefix();
        client.start();
        while (!client.ready())
            io.run_one();
    }
    ~account_world() {
        client.stop();
        io.restart();
        io.poll();
    }
    std::string header() const { return "{" + world.key_prefix() + ":0}:gate"; }
    std::optional<gate_account> read() {
        auto found = read_gate_account(wait_on(io), client, 0, options, go_on);
        REQUIRE(found.has_value());
        return std::move(*found);
    }
    holding hold(std::uint64_t epoch, const std::string& why = "why") {
        return hold_gate(wait_on(io), client, 0, epoch, why, options).value();
    }
    gate_rebuild rebuild(std::uint64_t epoch) {
        return {wait_on(io), client, 0, epoch, uuid_generator().make(), options};
    }
    errc reserve(std::int64_t product) {
        const auto made = world.reserve_one(world.sale(product, 1, 1, "after"));
        return made ? errc::high_traffic : errc(made.error());
    }

    gate_world world{adapter::redis};
    asio::io_context io;
    redis::client client{io, [] {
                             redis::options out;
                             out.url = std::getenv("FLASHSALE_REDIS__URL");
                             return out;
                         }()};
    redis_gate_options options;
};

}  // namespace

TEST_CASE("gate account: its seq, what waits, and what it was given, open or closed") {
    account_world here;
    gate_world& world = here.world;
    CHECK(here.read()->header.seq == 0);
    std::vector<std::int64_t> products;
    for (int i = 0; i < 150; ++i)
        products.push_back(world.make_product(100 + i));
    std::vector<grant> granted;
    for (int i = 0; i < 5; ++i)
        granted.push_back(*world.reserve_one(world.sale(products[0], i + 1, 1, "k")));
    granted.push_back(*world.reserve_one(world.reduction(products[1], 2, "r")));
    REQUIRE(world.prune(granted[1]).has_value());
    REQUIRE(world.prune(granted[5]).has_value());
    for (const char* state : {"open", "closed"}) {
        stack::redis_cli({"HSET", here.header(), "state", state, "server", "any"});
        auto found = here.read();
        REQUIRE(found.has_value());
        CHECK(found->header.epoch == 1);
        CHECK(found->header.seq == 6);
        CHECK(found->header.state == state);
        std::ranges::sort(found->waiting);
        CHECK(found->waiting == std::vector<std::uint64_t>{1, 3, 4, 5});
        CHECK(found->unreadable == 0);
        std::ranges::sort(found->supplied);
        REQUIRE(found->supplied.size() == products.size());
        for (std::size_t i = 0; i < products.size(); ++i)
            CHECK(found->supplied[i] == std::pair(products[i], static_cast<std::int64_t>(100 + i)));
    }
    SECTION("an entry that is no event") {
        stack::redis_cli({"HSET", "{" + world.key_prefix() + ":0}:1:outbox",
                          uuid_generator().make().to_string(), "nonsense"});
        CHECK(here.read()->unreadable == 1);
    }
    SECTION("another deployment's is not read") {
        here.options.deployment = "another";
        stack::redis_cli({"HSET", here.header(), "deployment", "one"});
        CHECK_FALSE(here.read().has_value());
    }
    SECTION("nor one of which keys were evicted, and none is none") {
        stack::redis_cli({"HSET", here.header(), "evicted", "12345"});
        CHECK_FALSE(here.read().has_value());
        stack::redis_cli({"DEL", here.header()});
        CHECK_FALSE(here.read().has_value());
    }
    SECTION("one that is replaced meanwhile is no account") {
        const auto found =
            read_gate_account(wait_on(here.io), here.client, 0, here.options,
                              [&]() -> std::expected<void, std::string> {
                                  stack::redis_cli({"HSET", here.header(), "epoch", "2"});
                                  return {};
                              });
        CHECK_FALSE(found.has_value());
    }
}

TEST_CASE("gate account: a gate that is held stays shut, until it is released") {
    account_world here;
    const auto product = here.world.make_product(10);
    CHECK(here.hold(2) == holding::refused);
    CHECK(here.hold(1, "first") == holding::now);
    CHECK(here.reserve(product) == errc::rebuilding);
    CHECK(here.read()->header.held == "first");
    CHECK(here.hold(1, "second") == holding::before);
    CHECK(here.read()->header.held == "second");
    // No attempt rebuilds it, begun before or now.
    auto next = here.rebuild(2);
    CHECK_FALSE(next.close({}).has_value());
    CHECK_FALSE(next.begin().has_value());
    CHECK(here.rebuild(1).open() == false);
    CHECK(here.reserve(product) == errc::rebuilding);

    const bool accepted = GENERATE(false, true);
    CHECK(release_gate(wait_on(here.io), here.client, 0, 2, accepted, here.options) == false);
    CHECK(release_gate(wait_on(here.io), here.client, 0, 1, accepted, here.options) == true);
    CHECK(here.reserve(product) == errc::rebuilding);
    CHECK(here.read()->header.held == "");
    CHECK(here.read()->header.accepted == accepted);
    if (accepted) {
        CHECK(here.hold(1) == holding::refused);
    } else {
        CHECK(here.hold(1) == holding::now);
        CHECK(release_gate(wait_on(here.io), here.client, 0, 1, false, here.options) == true);
    }
    CHECK(next.close({}).has_value());
    CHECK(next.begin() == true);
    CHECK_FALSE(here.read()->header.accepted);  // it was about the one before
    CHECK(here.hold(2) == holding::refused);    // it has granted nothing yet
    CHECK(next.open() == true);
}

TEST_CASE("gate account: what of it the ledger has, of its shard and epoch") {
    stock_record record(database_kind::postgres);
    std::vector<std::int64_t> products;
    for (int i = 0; i < 4; ++i)
        products.push_back(record.make_product(1'000));
    std::vector<movement> taken;
    for (int i = 0; i < 40; ++i) {
        taken.push_back(record.sold(products[static_cast<std::size_t>(i % 4)], 1));
        taken.back().epoch = i < 20 ? 1 : 2;
        if (i % 5 != 0) continue;
        taken.back().what = operation::reduction;
        taken.back().idempotency_key = std::to_string(i);
    }
    REQUIRE(record.ledger->record(taken).has_value());
    for (std::uint32_t shard = 0; shard < 2; ++shard) {
        moved_seqs expected;
        for (const movement& one : taken) {
            if (one.epoch != 2 || shard_of(one.product_id, 2) != shard) continue;
            (one.what == operation::sale ? expected.sales : expected.reductions).push_back(one.seq);
        }
        auto found = find_moved_seqs(*record.database.session(), shard, 2, 2, go_on);
        REQUIRE(found.has_value());
        std::ranges::sort(found->sales);
        std::ranges::sort(found->reductions);
        CHECK(found->sales == expected.sales);
        CHECK(found->reductions == expected.reductions);
    }
    CHECK_FALSE(find_moved_seqs(*record.database.session(), 0, 2, 2, [] {
                    return std::expected<void, std::string>(std::unexpected("stopping"));
                }).has_value());
}

TEST_CASE("gate account: a gate that the record has never heard of is noted with its token") {
    gate_world world(adapter::redis);
    postgres::session& database = world.stock_database();
    uuid_generator make;
    const uuid holder = make.make(), token = make.make(), next = make.make();
    CHECK(note_unknown_gate(database, 0, holder, 5, token) == false);
    REQUIRE(lease_shard(database, 0, holder, std::chrono::seconds{60}, true));
    database.script("UPDATE shards SET state = 'never', epoch = 0").value();
    CHECK(note_unknown_gate(database, 0, holder, 5, token) == true);
    CHECK(note_unknown_gate(database, 0, holder, 5, token) == true);
    CHECK(begin_rebuild(database, 0, holder, next).value().value() == 6);
    const auto older = older_tokens(database, 0, 6).value();
    CHECK(std::ranges::count(older, token) == 1);
    CHECK(note_unknown_gate(database, 0, holder, 2, token) == true);
    CHECK(read_shard(database, 0)->epoch == 6);
}
