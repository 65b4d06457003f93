// When the recorder rests, and when it lets another have its turn, over a log, databases and a gate
// that do as they are told.

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/order/recording.hpp>
#include <flashsale/stock.hpp>
#include <flashsale/stock/gate_outbox.hpp>

#include <atomic>
#include <thread>

using namespace flashsale;
using namespace flashsale::order;
using namespace std::chrono_literals;

namespace {

/// Never empty: each batch is one order of the age that the test says.
class endless_log final : public events::reader {
public:
    std::expected<batch, std::string> next(std::chrono::milliseconds) override {
        open = true;
        if (silent) {
            std::this_thread::sleep_for(10ms);
            return batch{};
        }
        events::order_accepted one;
        one.id = ids_.make(0);
        one.user_id = 7;
        one.product_id = 3;
        one.quantity = 1;
        one.idempotency_key = "key";
        one.created_at = wall_clock_now() - age;
        one.epoch = 1;
        one.seq = ++position_;
        batch out;
        out.entries.emplace_back(std::move(one));
        out.position = position_;
        ++batches;
        return out;
    }
    void acknowledge(std::uint64_t) override {}
    bool keep_alive() override {
        if (lost) silent = true;
        return !lost;
    }
    events::log_state state() const override { return events::log_state::up; }
    std::string fault() const override { return {}; }
    void interrupt() override {}
    void close() override {
        open = false;
        ++closed;
    }
    std::expected<bool, std::string> is_read() override { return read_by_another.load(); }

    std::chrono::milliseconds age{0};
    std::atomic<int> batches{0};
    std::atomic<int> closed{0};
    std::atomic<bool> open{false}, read_by_another{false};
    std::atomic<bool> lost{false};    // what is held; then it is silent
    std::atomic<bool> silent{false};  // nothing comes

private:
    uuid_generator ids_;
    std::uint64_t position_ = 0;
};

/// Takes a while for each transaction.
class slow_database final : public recording {
public:
    std::expected<recording_report, std::string> record(
        std::span<const events::order_accepted> orders, std::span<const events::poison>) override {
        const auto began = std::chrono::steady_clock::now();
        std::this_thread::sleep_for(takes.load());
        busy = busy.load() + (std::chrono::steady_clock::now() - began);
        if (broken) {
            ++failures;
            return std::unexpected("order database: it is broken");
        }
        recording_report out;
        out.fresh = orders.size();
        return out;
    }
    std::expected<void, std::string> park(std::span<const parking>) override { return {}; }
    std::expected<void, std::string> keep_late(std::span<const events::event>) override {
        return {};
    }
    std::expected<void, std::string> take_back(std::span<const uuid>) override { return {}; }
    std::expected<void, std::string> record_barriers(std::span<const events::barrier>) override {
        return {};
    }

    std::atomic<std::chrono::milliseconds> takes{10ms};
    std::atomic<bool> broken{false};
    std::atomic<int> failures{0};
    std::atomic<std::chrono::steady_clock::duration> busy{};
};

class quick_ledger final : public stock::ledger {
public:
    std::expected<std::vector<stock::refused_movement>, std::string> record(
        std::span<const stock::movement>) override {
        return {};
    }
};

/// Counts as the test says.
class counting_gate final : public stock::outbox_backlog {
public:
    void prune(std::vector<stock::recorded_event>,
               callback<std::expected<void, stock::errc>> done) override {
        done({});
    }
    void read_backlog(std::uint32_t, callback<std::expected<backlog, stock::errc>> done) override {
        if (const auto now = counts()) return done(*now);
        done(std::unexpected(stock::errc::dependency_unavailable));
    }

    /// On the thread that runs the io_context.
    std::function<std::optional<backlog>()> counts = [] { return backlog{1, 0, 0}; };
};

using counts = std::function<std::optional<stock::outbox_backlog::backlog>()>;

/// At first all is recorded, and then nothing more.
counts nothing_recorded() {
    return [granted = std::uint64_t{0}]() mutable {
        ++granted;
        return stock::outbox_backlog::backlog{1, granted, granted - 1};
    };
}

/// So much waits, but none of it for long.
counts always_waiting(std::uint64_t events) {
    return [granted = events, events]() mutable {
        granted += events;
        return stock::outbox_backlog::backlog{1, granted, events};
    };
}

bool soon(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

/// Whether there is a pause of nine times as long after a transaction of 10 ms: by the share of the
/// time that they take, which a busy machine changes little.
bool rests(std::function<std::uint64_t()> arrivals, counts say = {},
           pacing_options rest = {9, 60'000ms, 1'000'000}, std::chrono::milliseconds age = 0ms) {
    asio::io_context io;
    endless_log log;
    log.age = age;
    slow_database database;
    quick_ledger ledger;
    counting_gate gate;
    if (say) gate.counts = std::move(say);
    recorder writes({log, database, ledger, gate, io, std::move(arrivals), rest});
    const auto work = asio::make_work_guard(io);
    std::jthread pruning([&] { io.run(); });
    writes.start();
    std::this_thread::sleep_for(1s);  // a few looks at the gate
    const auto began = std::chrono::steady_clock::now();
    const auto busy_before = database.busy.load();
    const int before = log.batches;
    REQUIRE(soon([&] { return log.batches >= before + 20; }));
    const auto busy = database.busy.load() - busy_before;
    const auto took = std::chrono::steady_clock::now() - began;
    writes.stop(0ms);
    io.stop();
    return busy * 3 < took;
}

/// A recorder that may be followed by another.
struct followed {
    std::chrono::milliseconds patience{200};
    asio::io_context io;
    endless_log log;
    slow_database database;
    quick_ledger ledger;
    counting_gate gate;
    fault_board board;
    std::atomic<bool> able{true};
    std::atomic<std::uint64_t> recorded_by_all{0};
    recorder writes{{.log = log,
                     .database = database,
                     .ledger = ledger,
                     .outbox = gate,
                     .io = io,
                     .board = &board,
                     .step_aside_after = patience,
                     .able = [this]() -> std::expected<void, std::string> {
                         if (able) return {};
                         return std::unexpected("order database: it is away");
                     }}};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    std::jthread pruning;

    explicit followed(std::chrono::milliseconds lets_go_after = 200ms) : patience(lets_go_after) {
        gate.counts = [this] {
            return stock::outbox_backlog::backlog{1, 1'000'000 + recorded_by_all, 1'000'000};
        };
        pruning = std::jthread([this] { io.run(); });
        writes.start();
    }
    ~followed() {
        writes.stop(0ms);
        io.stop();
    }

    std::optional<known_fault> fault() const { return board.of("recorder"); }
};

}  // namespace

TEST_CASE("recorder: rests between batches while orders keep coming, and then no more") {
    std::atomic<std::uint64_t> arrived{0};
    CHECK(rests([&] { return ++arrived; }));
    CHECK_FALSE(rests([&] { return arrived.load(); }));
    CHECK_FALSE(rests({}));
}

TEST_CASE("recorder: does not rest once the record is too far behind, whatever a clock says") {
    std::atomic<std::uint64_t> arrived{0};
    const auto arrivals = [&] { return ++arrived; };
    for (const auto age : {0ms, std::chrono::milliseconds{-1h}, std::chrono::milliseconds{1h}}) {
        CHECK_FALSE(rests(arrivals, nothing_recorded(), {9, 300ms, 1'000'000}, age));
        CHECK(rests(arrivals, nothing_recorded(), {9, 60'000ms, 1'000'000}, age));
    }
}

TEST_CASE("recorder: does not rest once too much waits at the gate, whoever put it there") {
    std::atomic<std::uint64_t> arrived{0};
    const auto arrivals = [&] { return ++arrived; };
    CHECK_FALSE(rests(arrivals, always_waiting(100), {9, 60'000ms, 100}));
    CHECK(rests(arrivals, always_waiting(100), {9, 60'000ms, 101}));
}

TEST_CASE("recorder: does not rest while nothing is known of the backlog") {
    std::atomic<std::uint64_t> arrived{0};
    CHECK_FALSE(rests([&] { return ++arrived; },
                      [] { return std::optional<stock::outbox_backlog::backlog>{}; }));
}

TEST_CASE(
    "recorder: lets another have its turn when it cannot record, and comes back for its own") {
    followed it;
    REQUIRE(soon([&] { return it.log.batches > 3; }));
    CHECK_FALSE(it.fault());
    it.log.read_by_another = true;
    it.able = false;
    it.database.broken = true;
    REQUIRE(soon([&] { return it.log.closed == 1; }));
    const int before = it.log.batches;
    // Off: nothing is taken from the log while the databases are away, however long that is.
    REQUIRE(soon([&] { return it.fault() && it.fault()->what.contains("it is away"); }));
    CHECK_FALSE(it.fault()->hinders_orders);
    std::this_thread::sleep_for(2'500ms);
    CHECK(it.log.batches == before);
    CHECK_FALSE(it.log.open);
    it.database.broken = false;
    it.able = true;
    REQUIRE(soon([&] { return it.log.batches > before + 3; }));
    CHECK_FALSE(it.fault());
}

TEST_CASE("recorder: at fault is who cannot record what others do; if nobody can, orders go on") {
    followed it;
    it.database.broken = true;
    it.able = false;
    it.log.read_by_another = true;
    REQUIRE(soon([&] { return it.log.closed == 1; }));
    std::this_thread::sleep_for(2'500ms);
    REQUIRE(it.fault());
    CHECK_FALSE(it.fault()->hinders_orders);
    it.recorded_by_all = 5;
    CHECK(soon([&] { return it.fault() && it.fault()->hinders_orders; }));
    // The other one is gone.
    it.log.read_by_another = false;
    CHECK(soon([&] { return it.fault() && !it.fault()->hinders_orders; }));
}

TEST_CASE("recorder: lets another have its turn when it is much too slow") {
    followed it;
    it.database.takes = 300ms;
    REQUIRE(soon([&] { return it.log.closed > 0; }));
    // No other took it: back at once, and on.
    const int before = it.log.batches;
    CHECK(soon([&] { return it.log.batches > before; }));
}

TEST_CASE("recorder: what failed in a turn that it lost does not shorten the next") {
    constexpr auto patience = 3'000ms;
    followed it(patience);
    REQUIRE(soon([&] { return it.log.batches > 3; }));
    it.log.lost = true;
    it.database.broken = true;
    REQUIRE(soon([&] { return it.log.silent.load(); }));
    std::this_thread::sleep_for(patience + 500ms);
    const int failed = it.database.failures, before = it.log.batches;
    it.log.lost = false;
    it.log.silent = false;
    REQUIRE(soon([&] { return it.database.failures > failed; }));
    it.database.broken = false;
    REQUIRE(soon([&] { return it.log.batches > before + 3; }));
    CHECK(it.log.closed == 0);
}
