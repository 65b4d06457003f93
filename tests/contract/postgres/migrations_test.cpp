#include <catch2/catch.hpp>
#include <thread>

#include "scratch_database.hpp"

using namespace flashsale;
using namespace flashsale::postgres;
using namespace flashsale::postgres::test;

namespace {

/// A name for a database that migrate() is to create; dropped at the end.
struct unborn_database {
    std::string name = random_database_name();
    options settings;

    unborn_database() { settings.url = url_of(name); }
    ~unborn_database() { drop_database(name); }
};

const std::vector<migration> two{
    {1, "0001_users", "CREATE TABLE users (id bigint); CREATE TABLE more (id bigint);"},
    {2, "0002_names", "ALTER TABLE users ADD name text;"},
};
using names = std::vector<std::string>;

schema_state state_of(const options& target, std::span<const migration> all) {
    const auto report = check_schema(target, all);
    INFO(report.detail);
    CHECK_FALSE(report.detail.empty());
    CHECK(report.detail.find('\n') == std::string::npos);
    return report.state;
}

}  // namespace

TEST_CASE("postgres migrations: the database is created, then each is applied once") {
    const unborn_database target;
    CHECK(state_of(target.settings, two) == schema_state::behind);
    CHECK(migrate(target.settings, std::span(two).first(1)) == names{"0001_users"});
    CHECK(state_of(target.settings, two) == schema_state::behind);
    CHECK(migrate(target.settings, two) == names{"0002_names"});
    CHECK(migrate(target.settings, two).empty());
    CHECK(state_of(target.settings, two) == schema_state::current);

    session s(target.settings);
    const auto noted = must(s.execute(
        "SELECT version, name, length(checksum), applied_at FROM schema_migrations ORDER BY 1"));
    REQUIRE(noted.size() == 2);
    CHECK(noted.text(1, 1) == "0002_names");
    CHECK(noted.integer(1, 2) == 64);
    CHECK(must(s.execute("SHOW server_encoding")).text(0, 0) == "UTF8");
}

TEST_CASE("postgres migrations: several at once apply each of them once") {
    const unborn_database target;
    std::vector<names> applied(4);
    std::vector<std::string> faults(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < applied.size(); ++i) {
        threads.emplace_back([&, i] {
            try {
                applied[i] = migrate(target.settings, two);
            } catch (const std::exception& fault) {
                faults[i] = fault.what();
            }
        });
    }
    for (auto& thread : threads)
        thread.join();
    names all;
    for (std::size_t i = 0; i < applied.size(); ++i) {
        CHECK(faults[i] == "");
        all.insert(all.end(), applied[i].begin(), applied[i].end());
    }
    std::sort(all.begin(), all.end());
    CHECK(all == names{"0001_users", "0002_names"});
    CHECK(state_of(target.settings, two) == schema_state::current);
}

TEST_CASE("postgres migrations: a changed text is refused") {
    const scratch_database database;
    migrate(database.settings(), two);
    auto changed = two;
    changed[0].sql = "CREATE TABLE users (id integer);";
    CHECK(state_of(database.settings(), changed) == schema_state::changed);
    CHECK_THROWS_WITH(migrate(database.settings(), changed), Catch::Contains("0001_users"));
}

TEST_CASE("postgres migrations: a database of a newer binary is refused") {
    const scratch_database database;
    migrate(database.settings(), two);
    const auto older = std::span(two).first(1);
    CHECK(state_of(database.settings(), older) == schema_state::ahead);
    CHECK_THROWS_WITH(migrate(database.settings(), older), Catch::Contains("0002_names"));
}

TEST_CASE("postgres migrations: one that fails leaves nothing of itself") {
    const scratch_database database;
    auto broken = two;
    broken[1].sql = "CREATE TABLE half (id bigint); SELEKT;";
    CHECK_THROWS_WITH(migrate(database.settings(), broken), Catch::Contains("0002_names"));
    session s(database.settings());
    CHECK(must(s.execute("SELECT to_regclass('half') IS NULL")).boolean(0, 0));
    CHECK(must(s.execute("SELECT to_regclass('users') IS NOT NULL")).boolean(0, 0));
    CHECK(state_of(database.settings(), two) == schema_state::behind);
    CHECK(migrate(database.settings(), two) == names{"0002_names"});
}

TEST_CASE("postgres migrations: no server is one clear line") {
    options nowhere;
    nowhere.url = "postgresql://nobody:secret@127.0.0.1:1/none";
    CHECK(state_of(nowhere, two) == schema_state::unreachable);
    CHECK_THROWS_WITH(migrate(nowhere, two), Catch::Contains("none") &&
                                                 Catch::Contains("refused") &&
                                                 !Catch::Contains("secret"));
}
