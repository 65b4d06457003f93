#include <catch2/catch.hpp>

#include <flashsale/events/event.hpp>

#include "gate_world.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace flashsale::test;

namespace {

constexpr const char* move_version = "UPDATE products SET version = version + 1";

}  // namespace

TEST_CASE(
    "database gate: its version moved under it for each of three tries: high_traffic, nothing "
    "taken") {
    int tries = 0;
    std::unique_ptr<postgres::session> other;
    gate_world world(adapter::database, 1'000'000, [&](std::int64_t) {
        ++tries;
        other->execute(move_version);
    });
    postgres::options settings;
    settings.url = world.stock_database_url();
    other = std::make_unique<postgres::session>(settings);
    const auto product = world.make_product(10);
    const auto made = world.reserve_one(world.sale(product, 1, 1, "key"));
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error() == errc::high_traffic);
    CHECK(tries == 3);
    CHECK(world.available(product) == 10);
    CHECK(world.outbox().empty());
}

TEST_CASE("database gate: a key that a twin has taken under the last try is that one's order") {
    int tries = 0;
    std::unique_ptr<postgres::session> other;
    gate_world world(adapter::database, 1'000'000, [&](std::int64_t product) {
        if (++tries < 3) {
            other->execute(move_version);
        } else if (tries == 3) {
            // In the midst of it, as another process would: its own decision, and the units.
            other->execute(
                "WITH r AS (INSERT INTO reservations (id, product_id, kind, user_id,"
                " idempotency_key, quantity, unit_price, epoch) VALUES (gen_random_uuid(), " +
                std::to_string(product) +
                ", 'sale', 1, 'key', 1, 1999, 1)"
                " RETURNING id, product_id) UPDATE products p SET stock = stock - 1,"
                " version = version + 1 FROM r WHERE p.id = r.product_id");
        }
    });
    postgres::options settings;
    settings.url = world.stock_database_url();
    other = std::make_unique<postgres::session>(settings);
    const auto product = world.make_product(10);
    const auto made = world.reserve_one(world.sale(product, 1, 1, "key"));
    REQUIRE(made.has_value());
    CHECK(made->repeat);
    CHECK(tries == 3);
    CHECK(world.available(product) == 9);
}

TEST_CASE("database gate: its version moved under it twice: the third try is granted") {
    int tries = 0;
    std::unique_ptr<postgres::session> other;
    gate_world world(adapter::database, 1'000'000, [&](std::int64_t) {
        if (++tries < 3) other->execute(move_version);
    });
    postgres::options settings;
    settings.url = world.stock_database_url();
    other = std::make_unique<postgres::session>(settings);
    const auto product = world.make_product(10);
    REQUIRE(world.reserve_one(world.sale(product, 1, 1, "key")).has_value());
    CHECK(tries == 3);
    CHECK(world.available(product) == 9);
}

TEST_CASE("database gate: movement, reservation and outbox entry are there together") {
    gate_world world(adapter::database);
    const auto product = world.make_product(10);
    const auto made = world.reserve_one(world.sale(product, 1, 4, "key"));
    REQUIRE(made.has_value());
    auto rows = world.stock_database().execute(
        "SELECT (SELECT count(*) FROM movements m JOIN reservations r USING (id) JOIN outbox o"
        "        ON o.event_id = m.id WHERE m.delta = -4 AND m.kind = 'sale' AND m.seq = r.seq)");
    REQUIRE(rows.has_value());
    CHECK(rows->integer(0, 0) == 1);

    // The recorder finds the movement there and adds nothing.
    const auto ledger = make_postgres_ledger(world.stock_database());
    movement again;
    again.id = made->id;
    again.product_id = product;
    again.delta = -4;
    const auto recorded = ledger->record(std::span(&again, 1));
    REQUIRE(recorded.has_value());
    CHECK(recorded->empty());
    CHECK(world.available(product) == 6);
}

TEST_CASE("database gate: an event that waits is its reservation, or the text that is there") {
    gate_world world(adapter::database);
    const auto product = world.make_product(10);
    const auto made = world.reserve_one(world.sale(product, 7, 4, "a \"key\""));
    REQUIRE(made.has_value());
    const auto texts = [&] {
        std::vector<std::string> all = world.outbox();
        for (const uuid& id : {made->id, uuid_generator().make()}) {
            const auto one = world.wait_for<std::expected<std::optional<std::string>, errc>>(
                [&](auto done) { world.gate().find_event(id, std::move(done)); });
            REQUIRE(one.has_value());
            if (*one) all.push_back(**one);
        }
        const auto again = world.reserve_one(world.sale(product, 7, 4, "a \"key\""));
        REQUIRE(again.has_value());
        CHECK(again->id == made->id);
        CHECK(again->repeat);
        CHECK_FALSE(again->recorded);
        all.push_back(again->event);
        return all;
    };
    CHECK(texts() == std::vector<std::string>(3, made->event));
    const auto order = order_in(made->event);
    CHECK(order.quantity == 4);
    CHECK(order.idempotency_key == "a \"key\"");

    // As the version before has left it.
    const std::string old = events::text_of(order);
    REQUIRE(world.stock_database().execute("UPDATE outbox SET event = '" + old + "'").has_value());
    CHECK(texts() == std::vector<std::string>(3, old));

    // What is no event comes to the reader of events, to be set aside.
    REQUIRE(world.stock_database()
                .execute("UPDATE outbox SET event = NULL, event_id = gen_random_uuid()")
                .has_value());
    REQUIRE(world.outbox().size() == 1);
    CHECK_FALSE(events::parse(world.outbox().front()).has_value());
    CHECK(boost::json::parse(world.outbox().front()).is_string());
}

TEST_CASE(
    "database gate: its backlog is counted up to what lets the recorder rest, and no further") {
    gate_world world(adapter::database);
    const auto backlog = [&] {
        return world.wait_for<std::expected<gate::backlog, errc>>(
            [&](auto done) { world.gate().read_backlog(0, std::move(done)); });
    };
    const auto fill = [&](int from, int to) {
        REQUIRE(world.stock_database()
                    .execute("INSERT INTO outbox SELECT gen_random_uuid(), 0, '' FROM"
                             " generate_series(" +
                             std::to_string(from) + ", " + std::to_string(to) + ")")
                    .has_value());
    };
    REQUIRE(backlog().has_value());
    CHECK(backlog()->waiting == 0);
    fill(1, 10'000);
    REQUIRE(backlog().has_value());
    CHECK(backlog()->waiting == 10'000);
    fill(1, 1);
    REQUIRE_FALSE(backlog().has_value());
    CHECK(backlog().error() == errc::dependency_unavailable);
    REQUIRE(world.stock_database().execute("TRUNCATE outbox").has_value());
    CHECK(backlog()->waiting == 0);
}
