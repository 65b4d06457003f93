// The audit finds what was damaged, and names the product and the sum.

#include <catch2/catch.hpp>

#include <atomic>
#include <set>
#include <thread>

#include "gates.hpp"
#include "shop.hpp"
#include "sql.hpp"

using namespace flashsale::test;

namespace {

/// 20 orders on a product of 20, recorded, and the servers at rest.
struct sold_out {
    sandbox world;
    std::int64_t product = 0;

    explicit sold_out(const std::string& gate = "redis") : world(with_gate(gate)) {
        const flashsale_process shop(world);
        auto client = shop.client();
        const auto user = make_user(client, "u");
        product = make_product(client, 25);
        for (int i = 0; i < 20; ++i) {
            if (place_order(client, user, product, 1).status != 201)
                throw std::runtime_error("refused");
        }
        if (const auto fault = audit_fault(world); !fault.empty()) throw std::runtime_error(fault);
    }

    void check_finds(const std::string& sum) const {
        const auto audit = world.flashsale({"audit"});
        INFO(audit.output);
        CHECK(audit.exit_code == 1);
        CHECK(audit.output.find("FAULT product " + std::to_string(product) + ": " + sum) !=
              std::string::npos);
        const auto as_json = world.flashsale({"audit", "--json"});
        CHECK(as_json.exit_code == 1);
        const auto fault = json::parse(as_json.last_line()).at("faults").at(0);
        CHECK(fault.at("product_id").as_int64() == product);
        CHECK_FALSE(json::parse(as_json.last_line()).at("holds").as_bool());
    }
};

}  // namespace

TEST_CASE("audit: exits 1 and names product and sum after one order row is deleted") {
    const sold_out sale(every_gate());
    sale.world.sql(sandbox::database::order,
                   "DELETE FROM orders WHERE id = (SELECT id FROM orders ORDER BY id LIMIT 1)");
    sale.check_finds("orders and sale movements match one to one: 1 movements have no order");
}

TEST_CASE("audit: exits 1 and names product and sum after one movement is deleted") {
    const sold_out sale(every_gate());
    sale.world.sql(sandbox::database::stock,
                   "DELETE FROM movements WHERE id = (SELECT id FROM movements WHERE kind = 'sale'"
                   " ORDER BY id LIMIT 1)");
    sale.check_finds("stock = sum of movements");
}

TEST_CASE("audit: exits 1 and names product and sum after the gate's stock is changed by one") {
    const int by = GENERATE(1, -1);
    const sold_out sale;
    stack::redis_cli({"HINCRBY",
                      "{" + sale.world.name() + ":0}:1:p:" + std::to_string(sale.product), "free",
                      std::to_string(by)});
    sale.check_finds("free + taken = supplied, at the gate");
}

TEST_CASE("audit: holds at any moment while the sale runs") {
    const sandbox world(with_gate(every_gate()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto product = make_product(client, 1'000'000);
    std::vector<std::int64_t> users;
    for (const auto user : make_users(client, 20))
        users.insert(users.end(), 50'000, user);
    order_load load(shop, users, product);
    REQUIRE(eventually(std::chrono::seconds{60}, [&] { return load.seen("201") > 100; }));
    for (int i = 0; i < 8; ++i) {
        const auto audit = world.flashsale({"audit"});
        INFO(audit.output);
        CHECK(audit.exit_code == 0);
        client.post("/v1/products/" + std::to_string(product) + "/restock",
                    json::value{{"quantity", 5}});
    }
    load.stop();
    CHECK(audit_fault(world) == "");
}

TEST_CASE("audit: exits 1 and names the user after a balance or an entry is changed by hand") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto users = make_users(client, 3);
    const auto user = std::to_string(users[1]);
    for (const auto one : users)
        REQUIRE(client.post("/v1/users/" + std::to_string(one) + "/deposits", R"({"amount":10})")
                    .status == 201);
    CHECK(audit_fault(world) == "");
    const auto check_finds = [&](const std::string& change, const std::string& sum,
                                 const std::string& found) {
        INFO(change);
        world.sql(sandbox::database::user, change);
        const auto audit = world.flashsale({"audit"});
        INFO(audit.output);
        CHECK(audit.exit_code == 1);
        CHECK(audit.output.find("FAULT user " + user + ": " + sum + ": " + found + "\n") !=
              std::string::npos);
        const auto faults = json::parse(world.flashsale({"audit", "--json"}).last_line());
        REQUIRE_FALSE(faults.at("faults").as_array().empty());
        CHECK(faults.at("faults").at(0).at("user_id").as_int64() == users[1]);
    };
    const std::string adds_up = "balance = sum of entries";
    check_finds("UPDATE users SET balance = 11 WHERE id = " + user, adds_up,
                "balance 11, entries 10");
    check_finds("UPDATE users SET balance = 9 WHERE id = " + user, adds_up,
                "balance 9, entries 10");
    check_finds("UPDATE users SET balance = 10 WHERE id = " + user +
                    "; UPDATE balance_entries SET balance_after = 11 WHERE user_id = " + user,
                "each entry leads from one balance to the next", "an entry says another balance");
    check_finds(
        "UPDATE balance_entries SET amount = 12, balance_after = 12 WHERE user_id = " + user,
        adds_up, "balance 10, entries 12");
    check_finds("DELETE FROM balance_entries WHERE user_id = " + user, adds_up,
                "balance 10, entries 0");
    world.sql(sandbox::database::user, "UPDATE users SET balance = 0 WHERE id = " + user);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("audit: holds at any moment while deposits are made") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto setup = shop.client();
    const auto users = make_users(setup, 5);
    std::atomic<bool> stopping{false};
    std::atomic<int> made{0};
    std::vector<std::jthread> load;
    for (int thread = 0; thread < 4; ++thread) {
        load.emplace_back([&] {
            auto client = shop.client();
            for (std::size_t i = 0; !stopping; ++i) {
                const auto path = "/v1/users/" + std::to_string(users[i % users.size()]);
                made += client.post(path + "/deposits", R"({"amount":7})").status == 201;
            }
        });
    }
    for (int i = 0; i < 10; ++i) {
        const auto before = made.load();
        CHECK(eventually(std::chrono::seconds{60}, [&] { return made > before; }));
        const auto audit = world.flashsale({"audit"});
        INFO(audit.output);
        CHECK(audit.exit_code == 0);
    }
    stopping = true;
    load.clear();
    CHECK(audit_fault(world) == "");
}

TEST_CASE("audit: with the gate gone the databases are compared, and the exit code says so") {
    const sold_out sale;
    stack::redis_cli({"DEL", "{" + sale.world.name() + ":0}:gate"});
    const auto audit = sale.world.flashsale({"audit"});
    INFO(audit.output);
    CHECK(audit.exit_code == 3);
    CHECK(audit.output.find("only the databases were compared") != std::string::npos);
    sale.world.sql(sandbox::database::order, "DELETE FROM orders");
    CHECK(sale.world.flashsale({"audit"}).exit_code == 1);
}

TEST_CASE("audit: a record that is behind its gate, or not its own, is a fault that says so") {
    const sold_out sale;
    const auto sums = [&] {
        const auto audit = sale.world.flashsale({"audit", "--json"});
        INFO(audit.output);
        CHECK(audit.exit_code == 1);
        std::set<std::string> all;
        for (const auto& fault : json::parse(audit.last_line()).at("faults").as_array())
            all.insert(std::string(fault.at("sum").as_string()));
        return all;
    };
    const std::string product = "every product at the gate is recorded",
                      events = "what the gate granted is recorded, or in its outbox",
                      epoch = "the gate's epoch is the recorded one";
    SECTION("the databases were emptied") {
        sale.world.sql(sandbox::database::order, "TRUNCATE orders");
        sale.world.sql(sandbox::database::stock, "TRUNCATE products, movements RESTART IDENTITY");
        CHECK(sums() == std::set{product, events});
        // Ids start again, and meet the old product at the gate.
        sale.world.sql(
            sandbox::database::stock,
            "INSERT INTO products (name, price, supplied, stock) VALUES ('new', 1, 25, 25);"
            "INSERT INTO movements (id, product_id, delta, kind)"
            " SELECT gen_random_uuid(), id, 25, 'initial' FROM products");
        REQUIRE(sale.world.number(sandbox::database::stock, "SELECT id FROM products") ==
                sale.product);
        CHECK(sums().contains(events));
    }
    SECTION("the databases were made anew") {
        for (const auto one : {sandbox::database::order, sandbox::database::stock}) {
            const auto url = sale.world.url(one);
            const auto name = database_of(url);
            run_sql(with_database(url, "postgres"), "DROP DATABASE " + name + " WITH (FORCE)");
        }
        REQUIRE(sale.world.flashsale({"migrate"}).exit_code == 0);
        CHECK(sums() == std::set{product, events, epoch});
    }
    SECTION("the last orders are gone, with all that was noted of them") {
        const std::string last = "epoch = 1 AND seq > 15";
        sale.world.sql(sandbox::database::order, "DELETE FROM orders WHERE " + last);
        sale.world.sql(sandbox::database::stock,
                       "DELETE FROM movements WHERE " + last + "; UPDATE products SET stock = 10");
        CHECK(sums().contains(events));
    }
}
