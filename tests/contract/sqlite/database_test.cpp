#include <thread>

#include "opened.hpp"

using namespace flashsale;
using namespace flashsale::sqlite;
using namespace flashsale::sqlite::test;
using flashsale::test::scratch_folder;

namespace {

std::string pragma(database& of, const statement& what) {
    auto asked = of.prepare(what);
    REQUIRE(asked.step().value());
    return std::to_string(asked.integer_at(0));
}

}  // namespace

TEST_CASE("sqlite: every value comes back as it went in") {
    scratch_folder folder;
    database db = open(folder / "a.db");
    must(
        db.script("CREATE TABLE t (i INTEGER, n INTEGER, s TEXT, e TEXT, b BLOB, u BLOB,"
                  " t INTEGER) STRICT"));
    uuid_generator make;
    const uuid id = make.make();
    const timestamp now = wall_clock_now();
    const std::string bytes("a\0b", 3);
    constexpr statement insert_row{"INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"};
    auto in = db.prepare(insert_row);
    in.integer(std::numeric_limits<std::int64_t>::min()).integer(std::nullopt).text("grüße");
    in.text(std::string_view{}).blob(bytes).uuid(id).time(now);
    CHECK(in.run().value() == 1);

    constexpr statement read_row{"SELECT * FROM t"};
    auto out = db.prepare(read_row);
    REQUIRE(out.step().value());
    CHECK(out.integer_at(0) == std::numeric_limits<std::int64_t>::min());
    CHECK(out.optional_integer_at(1) == std::nullopt);
    CHECK(out.text_at(2) == "grüße");
    CHECK_FALSE(out.null_at(3));
    CHECK(out.text_at(3).empty());
    CHECK(out.blob_at(4) == bytes);
    CHECK(out.uuid_at(5) == id);
    CHECK(out.time_at(6) == now);
    CHECK_FALSE(out.step().value());
}

TEST_CASE("sqlite: a file is in WAL and synced at each commit") {
    scratch_folder folder;
    database db = open(folder / "a.db");
    constexpr statement synchronous{"PRAGMA synchronous"};
    constexpr statement foreign_keys{"PRAGMA foreign_keys"};
    constexpr statement journal_mode{"PRAGMA journal_mode"};
    CHECK(pragma(db, synchronous) == "2");
    CHECK(pragma(db, foreign_keys) == "1");
    auto mode = db.prepare(journal_mode);
    REQUIRE(mode.step().value());
    CHECK(mode.text_at(0) == "wal");
}

TEST_CASE("sqlite: what a transaction did happens whole or not at all") {
    scratch_folder folder;
    database db = with_numbers(folder / "a.db");
    must(db.transaction(access::write, [](database& in) {
        must(insert(in, 1));
        return insert(in, 2);
    }));
    const auto failed = db.transaction(access::write, [](database& in) {
        must(insert(in, 3));
        return insert(in, 1);
    });
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().what == error::kind::unique_violation);
    CHECK(count(db) == 2);
    CHECK_THROWS(db.transaction(access::write, [](database& in) -> std::expected<void, error> {
        must(insert(in, 4));
        throw std::runtime_error("on the way");
    }));
    CHECK_FALSE(db.in_transaction());
    CHECK(count(db) == 2);
}

TEST_CASE("sqlite: an attempt fails alone, and the transaction goes on") {
    scratch_folder folder;
    database db = with_numbers(folder / "a.db");
    must(db.transaction(access::write, [](database& in) -> std::expected<void, error> {
        must(insert(in, 1));
        const auto refused = in.attempt([](database& part) {
            must(insert(part, 2));
            return insert(part, -1);
        });
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().what == error::kind::data);
        CHECK(refused.error().message.find("numbers_not_negative") != std::string::npos);
        return in.attempt([](database& part) { return insert(part, 3); });
    }));
    CHECK(count(db) == 2);
}

TEST_CASE("sqlite: one writes at a time, the other waits, and is told when it was too long") {
    scratch_folder folder;
    database one = with_numbers(folder / "a.db");
    database other = open(folder / "a.db");
    must(one.transaction(access::write, [&](database& in) {
        must(insert(in, 1));
        const auto began = std::chrono::steady_clock::now();
        const auto late =
            other.transaction(access::write, [](database& at) { return insert(at, 2); });
        REQUIRE_FALSE(late.has_value());
        CHECK(late.error().what == error::kind::busy);
        CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds{450});
        // A reader does not wait, and sees what was committed.
        CHECK(count(other) == 0);
        return std::expected<void, error>{};
    }));

    auto waits = options_of(folder / "a.db");
    waits.busy_timeout = std::chrono::seconds{60};
    auto last = database::open(waits);
    REQUIRE(last.has_value());
    std::thread patient([&] {
        must(last->transaction(access::write, [](database& in) { return insert(in, 2); }));
    });
    must(one.transaction(access::write, [&](database& in) {
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
        return insert(in, 3);
    }));
    patient.join();
    CHECK(count(one) == 3);
}

TEST_CASE("sqlite: what is no database, and what is not there, is said") {
    scratch_folder folder;
    FILE* file = std::fopen((folder / "text.db").c_str(), "w");
    for (int i = 0; i < 1'000; ++i)
        std::fputs("this is a diary, and no database\n", file);
    std::fclose(file);
    const auto text = database::open(options_of(folder / "text.db"));
    REQUIRE_FALSE(text.has_value());
    CHECK(text.error().what == error::kind::corrupt);

    options existing = options_of(folder / "none.db");
    existing.create = false;
    const auto none = database::open(existing);
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().what == error::kind::unavailable);
    CHECK_FALSE(std::filesystem::exists(folder / "none.db"));
}

TEST_CASE("sqlite: SQL that is wrong is an error of the run, not of the process") {
    scratch_folder folder;
    database db = open(folder / "a.db");
    constexpr statement wrong{"SELECT number FROM nowhere"};
    for (int i = 0; i < 2; ++i) {
        const auto read = db.prepare(wrong).integer(1).step();
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().what == error::kind::other);
        CHECK(read.error().message.find("nowhere") != std::string::npos);
    }
}
