// What the log on SQLite alone has to do: it is the only copy, on a disk that may be full.

#include <catch2/catch.hpp>

#include <flashsale/sqlite.hpp>

#include "eventually.hpp"
#include "log_world.hpp"
#include "sql.hpp"

using namespace flashsale;
using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

constexpr sqlite::statement positions{"SELECT count(*), coalesce(max(position), 0) FROM entries"};
constexpr sqlite::statement cursor{"SELECT position FROM cursors WHERE reader = 'recorder'"};

struct log_file {
    explicit log_file(const std::filesystem::path& at) {
        options.file = at;
        options.retry_interval = 20ms;
        sqlite::migrate({.file = at}, events::sqlite_migrations());
        opened.emplace(options);
        opened->writer().start();
    }

    std::pair<std::int64_t, std::int64_t> rows() const {
        auto file = sqlite::database::open({.file = options.file});
        auto read = file->prepare(positions);
        REQUIRE(read.step().value());
        return {read.integer_at(0), read.integer_at(1)};
    }

    std::int64_t cursor_position() const {
        auto file = sqlite::database::open({.file = options.file});
        auto read = file->prepare(cursor);
        REQUIRE(read.step().value());
        return read.integer_at(0);
    }

    /// Until so many events came, or a minute passed.
    std::vector<events::entry> read(std::size_t events) {
        std::vector<events::entry> all;
        for (int i = 0; i < 1'200 && all.size() < events; ++i) {
            auto some = opened->recorder_end().next(50ms);
            REQUIRE(some.has_value());
            if (some->position != 0) last_position = some->position;
            for (auto& one : some->entries)
                all.push_back(std::move(one));
        }
        return all;
    }

    void rebuild() {
        opened->writer().stop(1s);
        opened.reset();
        opened.emplace(options);
        opened->writer().start();
    }

    events::sqlite_log_options options;
    std::optional<events::sqlite_log> opened;
    std::uint64_t last_position = 0;
};

}  // namespace

TEST_CASE("sqlite log: what is recorded leaves the file, and positions never begin anew") {
    scratch_folder folder;
    log_file file(folder / "log.db");
    log_world::worker one(file.opened->writer());
    for (std::uint64_t i = 1; i <= 50; ++i)
        REQUIRE(one.append(i));
    one.wait_for_answers();
    CHECK_FALSE(file.opened->drained());
    REQUIRE(seqs_of(file.read(50)) == numbers(1, 50));
    const auto [rows, last] = file.rows();
    CHECK(rows > 0);
    file.opened->recorder_end().acknowledge(file.last_position);
    CHECK(eventually(60s, [&] { return file.rows().first == 0; }));
    CHECK(file.cursor_position() == last);
    CHECK(file.opened->drained());

    file.rebuild();
    CHECK(file.opened->drained());
    log_world::worker two(file.opened->writer());
    REQUIRE(two.append(51));
    two.wait_for_answers();
    CHECK(file.rows() == std::pair<std::int64_t, std::int64_t>{1, last + 1});
    CHECK(seqs_of(file.read(1)) == numbers(51, 51));
}

TEST_CASE("sqlite log: what gathers during one commit shares the next") {
    scratch_folder folder;
    log_file file(folder / "log.db");
    log_world::worker one(file.opened->writer());
    {
        // No commit ends before all have gathered.
        const sqlite_write_lock held(file.options.file);
        for (std::uint64_t i = 1; i <= 5'000; ++i)
            REQUIRE(one.append(i));
    }
    one.wait_for_answers();
    CHECK(file.rows().first < 2'500);
    CHECK(file.read(5'000).size() == 5'000);
}

TEST_CASE("sqlite log: a full disk takes nothing, says so, and what waited is taken after it") {
    small_disk disk(2 << 20);
    log_file file(disk / "log.db");
    log_world::worker one(file.opened->writer());
    REQUIRE(one.append(1));
    one.wait_for_answers();
    REQUIRE(one.all_durable());
    disk.fill();
    std::uint64_t last = 1;
    // The log's own file has a little room left.
    const bool blocked = eventually(60s, [&] {
        for (int i = 0; i < 50; ++i)
            REQUIRE(one.append(++last));
        return file.opened->writer().state() == events::log_state::blocked;
    });
    REQUIRE(blocked);
    CHECK_FALSE(file.opened->writer().fault().empty());
    for (int i = 0; i < 50; ++i)
        REQUIRE(one.append(++last));
    std::this_thread::sleep_for(200ms);
    one.poll();
    CHECK(one.answers().size() < last);
    CHECK(one.all_durable());

    disk.empty();
    one.wait_for_answers();
    CHECK(one.all_durable());
    CHECK(file.opened->writer().state() == events::log_state::up);
    CHECK(seqs_of(file.read(last)) == numbers(1, last));
}

TEST_CASE("sqlite log: stopped on a full disk, what waits is unknown, and is not in the file") {
    small_disk disk(2 << 20);
    log_file file(disk / "log.db");
    log_world::worker one(file.opened->writer());
    disk.fill();
    std::uint64_t last = 0;
    REQUIRE(eventually(60s, [&] {
        for (int i = 0; i < 50; ++i)
            REQUIRE(one.append(++last));
        return file.opened->writer().state() == events::log_state::blocked;
    }));
    file.opened->writer().stop(100ms);
    one.wait_for_answers();
    std::uint64_t durable = 0, unknown = 0;
    for (const auto& [ticket, ends] : one.answers()) {
        REQUIRE(ends.size() == 1);
        durable += ends.front() == events::outcome::durable;
        unknown += ends.front() == events::outcome::unknown;
    }
    CHECK(unknown > 0);
    CHECK(durable + unknown == last);
    disk.empty();
    file.rebuild();
    CHECK(seqs_of(file.read(durable)) == numbers(1, durable));
    CHECK(file.opened->recorder_end().next(50ms)->empty());
}

TEST_CASE("sqlite log: what is not recorded can be read beside the process that has it open") {
    scratch_folder folder;
    log_file file(folder / "log.db");
    log_world::worker one(file.opened->writer());
    for (std::uint64_t i = 1; i <= 300; ++i)
        REQUIRE(one.append(i));
    one.wait_for_answers();
    std::vector<events::entry> seen;
    const auto collect = [&](events::entry what) { seen.push_back(std::move(what)); };
    REQUIRE(events::for_each_unrecorded(file.options, collect).has_value());
    CHECK(seqs_of(seen) == numbers(1, 300));
    CHECK(file.read(300).size() == 300);
}
