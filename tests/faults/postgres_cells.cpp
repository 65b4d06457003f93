// PostgreSQL dies, is locked, is full, or commits and cannot say so.

#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "cell.hpp"
#include "sql.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;
using database = sandbox::database;

void kill_and_restart(world& w) {
    for (int i = 0; i < 2; ++i) {
        outage down(stack::server::postgres, outage::kind::killed);
        w.fault();
        w.wait(1s);
        down.end();
        w.sell(100);
    }
}

void away_for_a_minute(world& w) {
    outage down(stack::server::postgres, outage::kind::shut_down);
    w.fault();
    // Those who are known go on; it is the others who wait.
    const auto before = w.people().accepted();
    w.wait(60s);
    if (w.people().accepted() < before + 1'000)
        throw std::runtime_error("with PostgreSQL away hardly anything was accepted");
    down.end();
}

void kill_backends(world& w) {
    for (int i = 0; i < 15; ++i) {
        const auto killed = stack::psql(
            {"-Atc",
             "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname "
             "LIKE '%" +
                 w.place().name() + "' AND pid <> pg_backend_pid()"});
        w.fault(std::stoull(killed));
        w.wait(300ms);
    }
}

void lock_orders(world& w) {
    std::thread holding([&] {
        run_sql(w.place().url(database::order),
                "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(8); COMMIT");
    });
    w.fault();
    w.wait(8s);
    holding.join();
}

void cut_after_commit(world& w) {
    w.postgres().cut_replies(0.3, "COMMIT");
    w.until("commits cut", [&] { return w.postgres().replies_cut() >= 15; });
    w.postgres().heal();
    w.fault(w.postgres().replies_cut());
}

void set(const char* what) {
    stack::psql({"-c", what});
    stack::psql({"-c", "SELECT pg_reload_conf()"});
}

void read_only(world& w) {
    w.undo_later([] { set("ALTER SYSTEM RESET default_transaction_read_only"); });
    set("ALTER SYSTEM SET default_transaction_read_only = on");
    w.fault();
    w.wait(5s);
    set("ALTER SYSTEM RESET default_transaction_read_only");
}

/// A common tuning; and so lazy a writer that hardly anything is flushed but by who insists.
void tuned_and_killed(world& w) {
    w.undo_later([] {
        stack::start(stack::server::postgres);
        set("ALTER SYSTEM RESET ALL");
    });
    set("ALTER SYSTEM SET wal_writer_delay = '10s'");
    set("ALTER SYSTEM SET synchronous_commit = off");
    for (int i = 0; i < 2; ++i) {
        const auto recorded = [&] {
            return w.place().number(database::order, "SELECT count(*) FROM orders");
        };
        const auto before = recorded();
        w.until("orders recorded", [&] { return recorded() >= before + 200; });
        outage down(stack::server::postgres, outage::kind::killed);
        w.fault();
        w.wait(1s);
        down.end();
        w.sell(100);
    }
}

/// The order table moves to a disk of a few megabytes, which something else then fills.
void fill_disk(world& w) {
    const std::string home = std::string(std::getenv("FLASHSALE_STACK_DIR")) + "/postgres";
    const std::string disk = home + "/small";
    struct stat owner{};
    if (::stat((home + "/data").c_str(), &owner) != 0) throw std::runtime_error("no data folder");
    std::filesystem::create_directory(disk);
    // PostgreSQL wants to be the owner.
    const std::string how = "size=24m,mode=0700,uid=" + std::to_string(owner.st_uid) +
                            ",gid=" + std::to_string(owner.st_gid);
    if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, how.c_str()) != 0)
        throw std::runtime_error("cannot mount a tmpfs: this cell needs root");
    w.undo_later([disk] { ::umount2(disk.c_str(), MNT_DETACH); });
    stack::psql({"-c", "CREATE TABLESPACE small LOCATION '" + disk + "'"});
    w.place().sql(database::order, "ALTER TABLE orders SET TABLESPACE small");
    w.place().sql(database::order, "ALTER INDEX orders_pkey SET TABLESPACE small");
    const std::string filler = disk + "/filler";
    {
        std::ofstream file(filler, std::ios::binary);
        const std::string piece(65'536, 'x');
        while (file.write(piece.data(), static_cast<std::streamsize>(piece.size())).flush()) {
        }
    }
    w.fault();
    const auto recorded = [&] {
        return w.place().number(database::order, "SELECT count(*) FROM orders");
    };
    w.wait(4s);
    const auto stuck_at = recorded();
    w.wait(2s);
    if (recorded() != stuck_at) throw std::runtime_error("the disk was to be full, and is not");
    std::filesystem::remove(filler);
}

}  // namespace

std::vector<cell> postgres_cells() {
    using enum stack::server;
    return {
        {"postgres: SIGKILL and restart, twice", kill_and_restart},
        {"postgres: away for 60 s", away_for_a_minute},
        {"postgres: backends killed every 300 ms", kill_backends},
        {"postgres: LOCK TABLE orders for 8 s", lock_orders},
        {"postgres: cut after COMMIT, before the reply", cut_after_commit},
        {"postgres: read-only for 5 s", read_only},
        {"postgres: synchronous_commit=off and SIGKILL", tuned_and_killed},
        {.name = "postgres: disk full", .fault = fill_disk, .damages = {postgres}},
    };
}

}  // namespace flashsale::test
