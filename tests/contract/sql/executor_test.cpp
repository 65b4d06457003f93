// What every executor and every session does, on each database.

#include <catch2/catch.hpp>

#include <boost/asio/co_spawn.hpp>

#include <flashsale/sql.hpp>

#include "../module_database.hpp"

using namespace flashsale;
using namespace flashsale::test;
using flashsale::sql::access;
using flashsale::sql::error;
using flashsale::sql::parameters;
using flashsale::sql::statement;

namespace {

constexpr statement insert{access::write, "t_insert",
                           "INSERT INTO things (id, name, tag, seen, open)"
                           " VALUES ($1, $2, $3, $4, $5) RETURNING id, name, tag, seen, open"};
constexpr statement find{access::read, "t_find",
                         "SELECT id, name, tag, seen, open FROM things WHERE id = $1"};
constexpr statement count{access::read, "t_count", "SELECT count(*) FROM things"};
constexpr statement all{access::read, "t_all", "SELECT id, name FROM things ORDER BY id"};
constexpr statement none{access::read, "t_none", "SELECT id FROM things WHERE id < 0"};
constexpr statement find_tagged{access::read,
                                "t_find_tagged",
                                "SELECT id FROM things WHERE tag = ANY($1) AND id = ANY($2)",
                                {"SELECT id FROM things WHERE tag = ?1 AND id = ?2"}};
constexpr statement insert_now{access::write,
                               "t_insert_now",
                               "INSERT INTO things (id, seen) VALUES ($1, now()) RETURNING seen",
                               {"INSERT INTO things (id, seen) VALUES (?1, ?2) RETURNING seen"}};
// A thing, and its double behind it: both, or none. On a conflict nothing.
constexpr statement insert_two{
    access::write,
    "t_insert_two",
    "WITH one AS (INSERT INTO things (id, name) VALUES ($1, $3)"
    "             ON CONFLICT (id) DO NOTHING RETURNING id)"
    " INSERT INTO things (id, name) SELECT id + $2, $3 || '!' FROM one RETURNING id",
    {"INSERT INTO things (id, name) VALUES (?1, ?3) ON CONFLICT (id) DO NOTHING",
     "INSERT INTO things (id, name) SELECT ?1 + ?2, ?3 || '!' WHERE changes() = 1 RETURNING id"}};
constexpr statement not_in_files{access::read, "t_not_in_files", "SELECT 7::bigint", {}};

static_assert(insert.of_sqlite().size() == 1 && insert.of_sqlite()[0].parameters == 5);
static_assert(count.of_sqlite()[0].parameters == 0);
static_assert(insert_two.of_sqlite().size() == 2 && insert_two.of_sqlite()[0].parameters == 3);
static_assert(not_in_files.of_sqlite().empty());

constexpr uuid one_tag{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255}};

enum class way { executor, session };
way each_way() {
    return GENERATE(way::executor, way::session);
}

struct things {
    explicit things(database_kind which, way how = way::executor)
        : kind(which),
          database(which, sandbox::database::user, {}),
          sql(which == database_kind::postgres
                  ? sql::make_executor(*database.pool())
                  : sql::make_executor(*database.queue(), database.io())) {
        if (how == way::session) {
            blocking = which == database_kind::postgres ? sql::make_session(*database.session())
                                                        : sql::make_session(*database.file());
        }
        database.sql(
            "CREATE TABLE things (id bigint PRIMARY KEY CHECK (id > 0), name text UNIQUE, tag uuid,"
            " seen timestamptz, open boolean)");
    }

    sql::result execute(const statement& what, parameters with = {}) {
        if (blocking) return blocking->execute(what, with);
        return database.wait(sql->execute(what, std::move(with)));
    }
    sql::result add(std::int64_t id, std::optional<std::string> name = {}, uuid tag = one_tag) {
        return execute(insert, std::move(parameters()
                                             .integer(id)
                                             .text(name)
                                             .uuid(tag)
                                             .time(std::optional<timestamp>())
                                             .boolean(false)));
    }
    std::int64_t size() { return execute(count)->integer(0, 0); }

    const database_kind kind;
    module_database database;
    std::unique_ptr<sql::executor> sql;
    std::unique_ptr<sql::session> blocking;  // asked in its place, if there is one
};

}  // namespace

TEST_CASE("sql: values come back as they were given, and nulls as nulls") {
    things here(each_database(), each_way());
    const auto seen = timestamp(std::chrono::microseconds(1'764'200'000'123'456));
    const std::string text = "zo\xc3\xab '$1' ?1";
    const auto made = here.execute(
        insert,
        std::move(parameters().integer(1).text(text).uuid(one_tag).time(seen).boolean(true)));
    REQUIRE(made.has_value());
    const auto found = here.execute(find, std::move(parameters().integer(1)));
    REQUIRE(found.has_value());
    for (const auto* rows : {&*made, &*found}) {
        REQUIRE(rows->size() == 1);
        CHECK(rows->integer(0, 0) == 1);
        CHECK(rows->text(0, 1) == text);
        CHECK(rows->uuid(0, 2) == one_tag);
        CHECK(rows->time(0, 3) == seen);
        CHECK(rows->optional_time(0, 3) == seen);
        CHECK(rows->boolean(0, 4));
    }
    const auto bare = here.add(2);
    REQUIRE(bare.has_value());
    CHECK(bare->is_null(0, 1));
    CHECK(bare->is_null(0, 3));
    CHECK(bare->optional_time(0, 3) == std::nullopt);
    CHECK_FALSE(bare->boolean(0, 4));
    CHECK(here.execute(find, std::move(parameters().integer(3)))->empty());
}

TEST_CASE("sql: of arrays, each place is asked for") {
    things here(each_database(), each_way());
    uuid other = one_tag;
    other.bytes[0] = 9;
    for (const std::int64_t id : {1, 2, 3, 4})
        REQUIRE(here.add(id, std::nullopt, id == 3 ? other : one_tag).has_value());
    const auto ask = [&](std::vector<uuid> tags, std::vector<std::int64_t> ids) {
        const auto found =
            here.execute(find_tagged, std::move(parameters().uuids(tags).integers(ids)));
        REQUIRE(found.has_value());
        std::vector<std::int64_t> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(found->integer(row, 0));
        std::ranges::sort(out);
        return out;
    };
    CHECK(ask({one_tag, other, one_tag}, {1, 3, 9}) == std::vector<std::int64_t>{1, 3});
    CHECK(ask({}, {}).empty());
}

TEST_CASE("sql: the clock is read as the statement runs") {
    things here(each_database(), each_way());
    const auto before = wall_clock_now() - std::chrono::seconds{60};
    const auto made = here.execute(insert_now, std::move(parameters().integer(1).now()));
    REQUIRE(made.has_value());
    CHECK(made->time(0, 0) > before);
    CHECK(made->time(0, 0) < before + std::chrono::seconds{120});
}

TEST_CASE("sql: a statement of several texts happens as a whole or not at all") {
    things here(each_database(), each_way());
    const auto two = [&](std::int64_t id, std::int64_t apart, std::string name) {
        return here.execute(insert_two,
                            std::move(parameters().integer(id).integer(apart).text(name)));
    };
    const auto made = two(1, 100, "a");
    REQUIRE(made.has_value());
    REQUIRE(made->size() == 1);
    CHECK(made->integer(0, 0) == 101);
    CHECK(here.size() == 2);

    const auto conflict = two(1, 200, "b");
    REQUIRE(conflict.has_value());
    CHECK(conflict->empty());
    CHECK(here.size() == 2);

    // The first text succeeds, the second one does not.
    const auto failed = two(2, -10, "c");
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().what == error::kind::data);
    CHECK(here.size() == 2);
    CHECK(here.execute(find, std::move(parameters().integer(2)))->empty());
}

TEST_CASE("sql session: a large result comes in pieces, each row once") {
    things here(each_database(), way::session);
    for (std::int64_t id = 1; id <= 7; ++id)
        REQUIRE(here.add(id, "n" + std::to_string(id)).has_value());
    const auto pieces_of = [&](const statement& what, std::size_t rows_per_piece) {
        std::vector<std::size_t> sizes;
        std::int64_t last = 0;
        const auto done = here.blocking->stream(what, rows_per_piece, [&](const sql::rows& piece) {
            sizes.push_back(piece.size());
            for (std::size_t row = 0; row < piece.size(); ++row) {
                CHECK(piece.integer(row, 0) == ++last);
                CHECK(piece.text(row, 1) == "n" + std::to_string(last));
            }
        });
        CHECK(done.has_value());
        return sizes;
    };
    CHECK(pieces_of(all, 3) == std::vector<std::size_t>{3, 3, 1});
    CHECK(pieces_of(all, 7) == std::vector<std::size_t>{7});
    CHECK(pieces_of(none, 7).empty());
}

TEST_CASE("sql session: inside a transaction it is a part of it") {
    things here(each_database(), way::session);
    if (here.kind == database_kind::postgres) {
        const auto undone = here.database.session()->transaction(
            [&](postgres::session&) -> std::expected<void, postgres::error> {
                CHECK(here.add(1).has_value());
                return std::unexpected(postgres::error{});
            });
        CHECK_FALSE(undone.has_value());
    } else {
        const auto undone = here.database.file()->transaction(
            sqlite::access::write, [&](sqlite::database&) -> std::expected<void, sqlite::error> {
                CHECK(here.add(1).has_value());
                return std::unexpected(sqlite::error{});
            });
        CHECK_FALSE(undone.has_value());
    }
    CHECK(here.size() == 0);
}

TEST_CASE("sql executor: what gathered at once fails alone") {
    things here(each_database());
    std::vector<sql::result> answers;
    const auto ask = [&](std::int64_t id) -> awaitable<> {
        parameters with;
        with.integer(id).text("n").uuid(one_tag).time(wall_clock_now()).boolean(true);
        answers.push_back(co_await here.sql->execute(insert, std::move(with)));
    };
    for (const std::int64_t id : {1, 2, -1, 3})
        asio::co_spawn(here.database.io(), ask(id), [](std::exception_ptr) {});
    here.database.run_until([&] { return answers.size() == 4; });
    std::vector<error::kind> faults;
    for (const auto& one : answers) {
        if (!one) faults.push_back(one.error().what);
    }
    std::ranges::sort(faults);
    CHECK(faults == std::vector{error::kind::unique_violation, error::kind::unique_violation,
                                error::kind::data});
    CHECK(here.size() == 1);
}

TEST_CASE("sql executor: what a file has not is no rows, without asking it") {
    things here(each_database());
    const auto found = here.execute(not_in_files);
    REQUIRE(found.has_value());
    CHECK(found->size() == (here.kind == database_kind::postgres ? 1 : 0));
    if (here.kind == database_kind::postgres) return;
    here.database.queue()->stop();
    CHECK(here.execute(not_in_files).has_value());
}

TEST_CASE("sql executor: once it is closed, it is unavailable") {
    things here(each_database());
    REQUIRE(here.add(1).has_value());
    here.database.stop();
    bool answered = false;
    here.sql->submit(find, std::move(parameters().integer(1)), [&](sql::result found) {
        answered = true;
        REQUIRE_FALSE(found.has_value());
        CHECK(found.error().what == error::kind::unavailable);
        CHECK_FALSE(found.error().message.empty());
    });
    CHECK_FALSE(answered);
    here.database.run_until([&] { return answered; });
}
