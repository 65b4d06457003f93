// What the Redis gate alone has to do: not to trust data that is not what it was opened on.

#include <catch2/catch.hpp>

#include <flashsale/stock/recovery.hpp>

#include <set>

#include "gate_world.hpp"
#include "stack.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

errc reason(const decision& made) {
    REQUIRE_FALSE(made.has_value());
    return made.error();
}

/// No log is there.
std::expected<void, std::string> bound(const uuid&) {
    return {};
}

std::string header_of(const gate_world& world) {
    return "{" + world.key_prefix() + ":0}:gate";
}

}  // namespace

TEST_CASE("redis gate: without a header it is closed, for every script") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    stack::redis_cli({"DEL", header_of(world)});
    CHECK(reason(world.reserve_one(world.sale(product, 1, 1, "key"))) == errc::rebuilding);
    CHECK(world.give({product, 100, 1'999, {}, {}, {}}).error() == errc::rebuilding);
    CHECK(world.levels(product).error() == errc::rebuilding);
    CHECK(world.find_event(uuid{}).error() == errc::rebuilding);
    CHECK_FALSE(world.gate().check().has_value());
}

TEST_CASE("redis gate: a header of another server's identity is no header") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    REQUIRE(world.reserve_one(world.sale(product, 1, 1, "key")).has_value());
    const std::string identity = stack::redis_cli({"HGET", header_of(world), "server"});
    stack::redis_cli({"HSET", header_of(world), "server", "another"});
    CHECK(reason(world.reserve_one(world.sale(product, 2, 1, "key"))) == errc::rebuilding);
    stack::redis_cli({"HSET", header_of(world), "server", identity.substr(0, identity.find('\n'))});
    CHECK(world.reserve_one(world.sale(product, 2, 1, "key")).has_value());
    CHECK(world.available(product) == 8);
}

TEST_CASE("redis gate: a caller of an older epoch is refused until it knows the new one") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    stack::redis_cli({"HSET", header_of(world), "epoch", "2"});
    // It learns the epoch from the refusal; the new epoch has no such product.
    CHECK(reason(world.reserve_one(world.sale(product, 1, 1, "key"))) == errc::product_not_found);
    CHECK(world.epochs().get(0) == 2);
    stack::redis_cli({"HSET", header_of(world), "epoch", "1"});
    // A gate older than what the caller knows was rolled back.
    CHECK(reason(world.reserve_one(world.sale(product, 1, 1, "key"))) == errc::rebuilding);
}

TEST_CASE("redis gate: an older gate proves nothing to whoever reads it either") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    const auto made = world.reserve_one(world.sale(product, 1, 1, "key"));
    REQUIRE(made.has_value());
    CHECK(world.gate().check().has_value());
    world.epochs().raise(0, 2);
    CHECK(world.levels(product).error() == errc::rebuilding);
    CHECK(world.epochs().answer(0) == gate_answer::older);
    CHECK(world.find_event(made->id).error() == errc::rebuilding);
    CHECK_FALSE(world.gate().check().has_value());
    CHECK(reason(world.reserve_one(world.sale(product, 2, 1, "key"))) == errc::rebuilding);
    CHECK(world.epochs().answer(0) == gate_answer::older);
}

TEST_CASE("redis gate: a header that is not whole is no header, for every script") {
    for (const char* field : {"state", "epoch", "server", "seq"}) {
        INFO(field);
        gate_world world(adapter::redis);
        const auto product = world.make_product(10);
        stack::redis_cli({"HDEL", header_of(world), field});
        CHECK(reason(world.reserve_one(world.sale(product, 1, 1, "key"))) == errc::rebuilding);
        CHECK(world.give({product, 100, 1'999, {}, {}, {}}).error() == errc::rebuilding);
        CHECK(world.levels(product).error() == errc::rebuilding);
        CHECK(world.find_event(uuid{}).error() == errc::rebuilding);
        CHECK(world.epochs().answer(0) == gate_answer::closed);
    }
}

TEST_CASE("redis gate: not ready before a script has answered open, and it is asked") {
    gate_world world(adapter::redis);
    redis::options settings;
    settings.url = std::getenv("FLASHSALE_REDIS__URL");
    redis::client client(world.io(), settings);
    client.start();
    while (!client.ready())
        world.io().run_one();
    redis_gate_options options;
    options.key_prefix = world.key_prefix();
    shard_epochs fresh(1);
    const auto gate = make_redis_gate({&client}, fresh, options);
    CHECK(fresh.answer(0) == gate_answer::none);
    CHECK_FALSE(gate->check().has_value());
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!gate->check() && std::chrono::steady_clock::now() < until) {
        world.io().restart();
        world.io().run_for(std::chrono::milliseconds{10});
    }
    CHECK(fresh.answer(0) == gate_answer::open);
    CHECK(gate->check().has_value());
    client.stop();
    world.io().restart();
    world.io().poll();
}

TEST_CASE("redis gate: opening is for shards that were never open, and may be repeated") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    redis::options settings;
    settings.url = std::getenv("FLASHSALE_REDIS__URL");
    asio::io_context io;
    redis::client client(io, settings);
    client.start();
    while (!client.ready())
        io.run_one();
    redis_gate_options options;
    options.key_prefix = world.key_prefix();
    shard_epochs seen(1);
    open_new_shards(wait_on(io), world.stock_database(), {&client}, seen, options, bound);
    CHECK(seen.get(0) == 1);
    CHECK(world.reserve_one(world.sale(product, 1, 1, "key")).has_value());
    CHECK(world.available(product) == 9);
    // Lost: a process that starts now must not open an empty gate in its place.
    stack::redis_cli({"DEL", header_of(world)});
    open_new_shards(wait_on(io), world.stock_database(), {&client}, seen, options, bound);
    CHECK(reason(world.reserve_one(world.sale(product, 2, 1, "key"))) == errc::rebuilding);
    client.stop();
    io.restart();
    io.poll();
}

TEST_CASE("redis gate: a product that was evicted is not made anew") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    REQUIRE(world.reserve_one(world.sale(product, 1, 10, "key")).has_value());
    stack::redis_cli({"DEL", "{" + world.key_prefix() + ":0}:1:p:" + std::to_string(product)});
    CHECK(world.give({product, 11, 1'999, {}, {}, {}}).error() == errc::rebuilding);
    CHECK(reason(world.reserve_one(world.sale(product, 2, 1, "key"))) == errc::product_not_found);
}

TEST_CASE("redis gate: one seq for each grant, dense, in the order of the grants") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(100);
    for (int round = 0; round < 5; ++round) {
        std::vector<reservation> batch;
        for (int i = 0; i < 7; ++i) {
            batch.push_back(world.sale(product, round * 7 + i + 1, i % 2 == 0 ? 1 : 1'000, "key"));
        }
        world.reserve(std::move(batch));
    }
    const auto levels = world.levels(product);
    REQUIRE(levels.has_value());
    CHECK(levels->seq == 20);
    CHECK(levels->products[0]->free == 80);
    CHECK(world.outbox().size() == 20);
}

TEST_CASE(
    "redis gate: what it grants goes under the token in its header, and without one nothing") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    const auto first = world.reserve_one(world.sale(product, 1, 1, "key"));
    REQUIRE(first.has_value());
    const auto levels = world.levels(product);
    REQUIRE(levels.has_value());
    CHECK(first->token == levels->token);
    CHECK(first->token != uuid{});

    const uuid renewed = uuid_generator().make();
    stack::redis_cli({"HSET", header_of(world), "token", renewed.to_string()});
    const auto repeat = world.reserve_one(world.sale(product, 1, 1, "key"));
    REQUIRE(repeat.has_value());
    CHECK(repeat->repeat);
    CHECK(repeat->token == renewed);
    CHECK(world.reserve_one(world.sale(product, 2, 1, "key"))->token == renewed);

    stack::redis_cli({"HDEL", header_of(world), "token"});
    CHECK(reason(world.reserve_one(world.sale(product, 3, 1, "key"))) == errc::rebuilding);
    CHECK(world.levels(product).error() == errc::rebuilding);
}

TEST_CASE("redis gate: shut out of the log it is asked for nothing, until it has another token") {
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    const auto first = world.reserve_one(world.sale(product, 1, 1, "key"));
    REQUIRE(first.has_value());
    // That an earlier one's events come back says nothing of this gate.
    world.epochs().shut_out(0, uuid_generator().make());
    CHECK(world.reserve_one(world.sale(product, 2, 1, "key")).has_value());

    world.epochs().shut_out(0, first->token);
    CHECK(reason(world.reserve_one(world.sale(product, 3, 1, "key"))) == errc::rebuilding);
    CHECK(reason(world.reserve_one(world.sale(product, 1, 1, "key"))) == errc::rebuilding);
    CHECK_FALSE(world.gate().check().has_value());
    const auto levels = world.levels(product);  // whose reply has the token that it had
    REQUIRE(levels.has_value());
    CHECK(levels->products[0]->free == 8);
    CHECK(reason(world.reserve_one(world.sale(product, 3, 1, "key"))) == errc::rebuilding);

    stack::redis_cli({"HSET", header_of(world), "token", uuid_generator().make().to_string()});
    REQUIRE(world.levels(product).has_value());
    CHECK(world.gate().check().has_value());
    CHECK(world.reserve_one(world.sale(product, 3, 1, "key")).has_value());
    CHECK(world.available(product) == 7);
}

TEST_CASE("redis gate: another deployment's is left as it is, and named") {
    gate_world world(adapter::redis);
    redis::options settings;
    settings.url = std::getenv("FLASHSALE_REDIS__URL");
    asio::io_context io;
    redis::client client(io, settings);
    client.start();
    while (!client.ready())
        io.run_one();
    redis_gate_options options;
    options.key_prefix = world.key_prefix();
    options.deployment = "mine";
    stack::redis_cli({"HSET", header_of(world), "deployment", "theirs"});
    shard_epochs seen(1);
    CHECK_THROWS_WITH(
        open_new_shards(wait_on(io), world.stock_database(), {&client}, seen, options, bound),
        Catch::Contains(header_of(world)) && Catch::Contains("another deployment's"));
    gate_rebuild rebuilt(wait_on(io), client, 0, 2, uuid_generator().make(), options);
    CHECK_THAT(rebuilt.close({}).error(), Catch::Contains("another deployment's"));
    CHECK_THAT(rebuilt.begin().error(), Catch::Contains("another deployment's"));
    CHECK(stack::redis_cli({"HGET", header_of(world), "state"}).starts_with("open"));
    client.stop();
    io.restart();
    io.poll();
}

TEST_CASE("redis gate: a rebuild knows whether it has closed the gate that it replaces") {
    using closing = gate_rebuild::closing;
    gate_world world(adapter::redis);
    const auto product = world.make_product(10);
    const uuid old = world.levels(product)->token;
    redis::options settings;
    settings.url = std::getenv("FLASHSALE_REDIS__URL");
    asio::io_context io;
    redis::client client(io, settings);
    client.start();
    while (!client.ready())
        io.run_one();
    redis_gate_options options;
    options.key_prefix = world.key_prefix();
    uuid_generator make;
    const uuid token = make.make(), renewed = make.make();
    const uuid known[] = {make.make(), old}, unknown[] = {make.make()};

    gate_rebuild same(wait_on(io), client, 0, 1, token, options);
    CHECK(same.close(known) == closing::overtaken);
    CHECK(same.renew(make.make()) == false);
    CHECK(same.renew(old) == true);
    CHECK(world.levels(product)->token == token);
    CHECK(same.renew(old) == false);

    const uuid now_known[] = {token};
    gate_rebuild next(wait_on(io), client, 0, 2, renewed, options);
    CHECK(next.close(unknown) == closing::not_met);
    CHECK(next.close(now_known) == closing::met);
    CHECK(world.levels(product).error() == errc::rebuilding);
    stack::redis_cli({"DEL", header_of(world)});
    CHECK(next.close(now_known) == closing::not_met);
    CHECK(next.begin() == true);
    CHECK(next.renew(renewed) == false);  // it is not open
    CHECK(next.open() == true);
    CHECK(world.levels(product)->token == renewed);
    CHECK(next.renew(token) == false);
    client.stop();
    io.restart();
    io.poll();
}

TEST_CASE("redis gate: the tokens of a shard are noted with its epochs") {
    gate_world world(adapter::redis);
    postgres::session& database = world.stock_database();
    uuid_generator make;
    const uuid holder = make.make(), second = make.make(), third = make.make(), fresh = make.make();
    REQUIRE(lease_shard(database, 0, holder, std::chrono::seconds{10}, false));
    const uuid first = read_shard(database, 0)->token;
    CHECK(first != uuid{});
    CHECK(replace_token(database, 0, 1, second, fresh) == false);  // not the one that it has
    CHECK(replace_token(database, 0, 2, first, fresh) == false);   // not its epoch
    CHECK(replace_token(database, 0, 1, first, fresh) == true);
    CHECK(read_shard(database, 0)->token == fresh);

    CHECK(begin_rebuild(database, 0, holder, second).value().value() == 2);
    CHECK(read_shard(database, 0)->token == second);
    CHECK(replace_token(database, 0, 2, second, make.make()) == false);  // it is being rebuilt
    CHECK(older_tokens(database, 0, 2) == std::vector{first, fresh});
    CHECK(begin_rebuild(database, 0, holder, third).value().value() == 3);
    CHECK(older_tokens(database, 0, 2) == std::vector{first, fresh});
    CHECK(older_tokens(database, 0, 3) == std::vector{first, fresh, second});
    const uuid gone[] = {first, fresh};
    CHECK(forget_tokens(database, gone).has_value());
    CHECK(older_tokens(database, 0, 3) == std::vector{second});
}

TEST_CASE("redis gate: its products are listed page by page, its own and of that epoch") {
    gate_world world(adapter::redis);
    const auto listed = [&](std::uint64_t epoch, std::size_t& pages) {
        std::set<std::int64_t> ids;
        std::string cursor;
        do {
            auto page = world.wait_for<std::expected<gate::product_page, errc>>(
                [&](auto done) { world.gate().list_products(0, epoch, cursor, std::move(done)); });
            REQUIRE(page.has_value());
            ids.insert(page->ids.begin(), page->ids.end());
            cursor = page->next_cursor;
            ++pages;
        } while (!cursor.empty());
        return ids;
    };
    std::set<std::int64_t> made;
    std::size_t pages = 0;
    CHECK(listed(1, pages).empty());
    for (std::int64_t id = 1; id <= 2'500; ++id) {
        REQUIRE(world.give({id, 10, 1'999, {}, {}, {}}).has_value());
        made.insert(id);
    }
    // Neighbours: what a product has besides, an older gate's, and those of a prefix much alike.
    REQUIRE(world.reserve_one(world.sale(1, 1, 1, "key")).has_value());
    const auto root = "{" + world.key_prefix() + ":0}:";
    stack::redis_cli({"HSET", root + "11:p:7001", "free", "1"});
    stack::redis_cli({"HSET", "{" + world.key_prefix() + ":01}:1:p:7002", "free", "1"});
    pages = 0;
    CHECK(listed(1, pages) == made);
    CHECK(pages > 1);
    CHECK(listed(11, pages) == std::set<std::int64_t>{7'001});
}
