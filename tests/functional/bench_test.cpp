// The harness on real servers: it runs from end to end, and it is not to be deceived.

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "shop.hpp"

using namespace flashsale::test;

namespace {

/// Removed at the end.
struct temporary_folder {
    temporary_folder() {
        auto name = (std::filesystem::temp_directory_path() / "flashsale-bench-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
        path = name;
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
};

std::string text_of(const std::filesystem::path& file) {
    std::stringstream all;
    all << std::ifstream{file}.rdbuf();
    return all.str();
}

finished rush(const sandbox& world, const flashsale_process& shop) {
    return run({bench_binary(), "rush", "--url", shop.url(), "--stock", "50", "--users", "200",
                "--requests", "400", "--storing-max-s", "3"},
               world.variables());
}

}  // namespace

TEST_CASE("bench: the report, in brief, on real servers") {
    const temporary_folder out;
    const auto done = run({bench_binary(), "report", "--smoke", "--config", stack_config(),
                           "--flashsale", flashsale_binary(), "--out", out.path.string()},
                          {}, std::chrono::seconds{500});
    INFO(done.output);
    REQUIRE(done.exit_code == 0);
    for (const char* row : {"sold-out refusals", "accepted, one hot product, 512 connections",
                            "accepted, one hot product, 64 connections",
                            "stored, first request to last", "products, 512 connections",
                            "paid for from balances", "holds end, until all are available",
                            "p99 of accepted", "Redis gate", "resident per idle"}) {
        CHECK_THAT(done.output, Catch::Contains(row));
    }
    const auto report = json::parse(text_of(out.path / "report.json"));
    CHECK(report.at("bars").as_array().size() == 12);
    for (const auto& bar : report.at("bars").as_array()) {
        INFO(json::serialize(bar));
        CHECK(bar.at("limit").to_number<double>() > 0);
        const bool costs = bar.at("name") != "p99" && bar.at("name") != "idle_memory";
        CHECK(bar.at("cpu_us_per_order").as_object().contains("server") == costs);
    }
    for (const char* fact : {"cpu", "kernel", "compiler", "redis", "postgresql"}) {
        CHECK_FALSE(report.at("machine").at(fact).as_string().empty());
    }
    const auto& gates = report.at("gates").as_array();
    REQUIRE(gates.size() == 3);
    CHECK(gates[0].at("gate") == "database");
    CHECK(gates[1].at("gate") == "redis");
    CHECK(gates[2].at("gate") == "memory");
    CHECK(gates[2].at("unsold").to_number<std::int64_t>() == 0);
    CHECK(gates[1].at("unsold").to_number<std::int64_t>() == 0);
    CHECK_THAT(text_of(out.path / "report.svg"),
               Catch::Contains("<svg") && Catch::Contains("stored") && Catch::Contains("</svg>"));
}

TEST_CASE("bench: an order that is lost on its way to the database makes rush fail") {
    const sandbox world;
    world.sql(sandbox::database::order,
              "CREATE TABLE swallowed (id uuid);"
              "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
              "IF (SELECT count(*) FROM swallowed) = 0 THEN "
              "INSERT INTO swallowed VALUES (NEW.id); RETURN NULL; END IF; RETURN NEW; END $$;"
              "CREATE TRIGGER swallow BEFORE INSERT ON orders FOR EACH ROW "
              "EXECUTE FUNCTION swallow()");
    const flashsale_process shop(world);
    const auto done = rush(world, shop);
    INFO(done.output);
    CHECK(done.exit_code == 1);
    CHECK(json::parse(done.last_line()).at("lost").to_number<std::int64_t>() >= 1);
}

TEST_CASE("bench: an order too many in the database makes rush fail") {
    const sandbox world;
    world.sql(sandbox::database::order,
              "CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
              "INSERT INTO orders SELECT gen_random_uuid(), user_id, product_id, quantity, "
              "unit_price, order_status, 'forged', epoch, 0, created_at FROM stored LIMIT 1; "
              "RETURN NULL; END $$;"
              "CREATE TRIGGER forge AFTER INSERT ON orders REFERENCING NEW TABLE AS stored "
              "FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION forge()");
    const flashsale_process shop(world);
    const auto done = rush(world, shop);
    INFO(done.output);
    CHECK(done.exit_code == 1);
    const auto report = json::parse(done.last_line());
    CHECK(report.at("oversold").to_number<std::int64_t>() >= 1);
    CHECK(report.at("phantom").to_number<std::int64_t>() >= 1);
}
