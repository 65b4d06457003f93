// What a disk does: it fills up, it fails to sync, it keeps what a killed process committed.

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "opened.hpp"

using namespace flashsale;
using namespace flashsale::sqlite;
using namespace flashsale::sqlite::test;
using flashsale::test::scratch_folder;
using flashsale::test::small_disk;

namespace {

std::atomic<bool> syncs_fail{false};
std::atomic<int> syncs{0};

constexpr statement insert_note{"INSERT INTO numbers (number, note) VALUES (?1, ?2)"};

std::expected<void, error> insert_long(database& into, std::int64_t number) {
    const std::string note(3'000, 'n');
    auto done = into.prepare(insert_note).integer(number).text(note).run();
    if (!done) return std::unexpected(done.error());
    return {};
}

/// How a child process ended that ran `body`.
int status_of(const std::function<void()>& body) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::fclose(stderr);
        ::signal(SIGABRT, SIG_DFL);  // not Catch's
        body();
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

}  // namespace

/// In place of the C library's, for SQLite too.
extern "C" int fdatasync(int descriptor) {
    ++syncs;
    if (syncs_fail) {
        errno = EIO;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

TEST_CASE("sqlite: a commit is synced before it returns") {
    scratch_folder folder;
    database db = with_numbers(folder / "a.db");
    const int before = syncs;
    must(db.transaction(access::write, [](database& in) { return insert(in, 1); }));
    CHECK(syncs > before);
}

TEST_CASE("sqlite: a sync that failed ends the process") {
    scratch_folder folder;
    const auto ended = [&](bool fail) {
        return status_of([&] {
            database db = with_numbers(folder / (fail ? "a.db" : "b.db"));
            syncs_fail = fail;
            (void)db.transaction(access::write, [](database& in) { return insert(in, 1); });
        });
    };
    const int failed = ended(true);
    CHECK((WIFSIGNALED(failed) && WTERMSIG(failed) == SIGABRT));
    CHECK(ended(false) == 0);
}

TEST_CASE("sqlite: what was committed is there after a kill, what was not is not") {
    scratch_folder folder;
    const int status = status_of([&] {
        database db = with_numbers(folder / "a.db");
        must(db.transaction(access::write, [](database& in) { return insert(in, 1); }));
        (void)db.transaction(access::write, [](database& in) {
            must(insert(in, 2));
            ::kill(::getpid(), SIGKILL);
            return insert(in, 3);
        });
    });
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    database db = open(folder / "a.db");
    CHECK(count(db) == 1);
}

TEST_CASE("sqlite: a full disk rolls back, loses nothing, and works again with room") {
    small_disk disk(2 << 20);
    database db = with_numbers(disk / "a.db");
    must(db.transaction(access::write, [](database& in) { return insert_long(in, 1); }));
    disk.fill();
    // What room the log has left is used up first.
    std::int64_t stored = 1;
    std::expected<void, error> done;
    while (done && stored < 10'000) {
        done = db.transaction(access::write,
                              [&](database& in) { return insert_long(in, stored + 1); });
        if (done) ++stored;
    }
    REQUIRE_FALSE(done.has_value());
    INFO(done.error().message);
    CHECK(done.error().what == error::kind::full);
    CHECK_FALSE(db.in_transaction());
    CHECK(count(db) == stored);
    disk.empty();
    must(db.transaction(access::write, [&](database& in) { return insert_long(in, stored + 1); }));
    CHECK(count(db) == stored + 1);
    database other = open(disk / "a.db");
    CHECK(count(other) == stored + 1);
}
