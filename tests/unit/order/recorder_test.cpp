// When the recorder rests, with a log and databases that are always ready.

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/order/recording.hpp>
#include <flashsale/stock.hpp>

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
        events::event one;
        one.id = ids_.make(0);
        one.user_id = 7;
        one.product_id = 3;
        one.quantity = 1;
        one.idempotency_key = "key";
        one.created_at = wall_clock_now() - age;
        one.generation = 1;
        one.seq = ++position_;
        batch out;
        out.entries.emplace_back(std::move(one));
        out.position = position_;
        ++batches;
        return out;
    }
    void acknowledge(std::uint64_t) override {}
    bool keep_alive() override { return true; }
    events::log_state state() const override { return events::log_state::up; }
    std::string fault() const override { return {}; }
    void interrupt() override {}
    void close() override {}

    std::chrono::milliseconds age{0};
    std::atomic<int> batches{0};

private:
    uuid_generator ids_;
    std::uint64_t position_ = 0;
};

/// Takes a while for each transaction.
class slow_database final : public recording {
public:
    std::expected<recording_report, std::string> record(std::span<const events::event> orders,
                                                        std::span<const events::poison>) override {
        std::this_thread::sleep_for(10ms);
        recording_report out;
        out.fresh = orders.size();
        return out;
    }
    std::expected<void, std::string> park(std::span<const parking>) override { return {}; }
    std::expected<void, std::string> keep_late(std::span<const events::event>) override {
        return {};
    }
    std::expected<void, std::string> record_barriers(std::span<const events::event>) override {
        return {};
    }
};

class quick_ledger final : public stock::ledger {
public:
    std::expected<std::vector<stock::refused_movement>, std::string> record(
        std::span<const stock::movement>) override {
        return {};
    }
};

class no_outbox final : public stock::gate {
public:
    batching_limits batching() const override { return {}; }
    void reserve(std::vector<stock::reservation>, callback<std::vector<stock::decision>>) override {
    }
    void give(std::vector<stock::gate_product>,
              callback<std::expected<void, stock::errc>>) override {}
    void settle(std::vector<stock::settled_event>,
                callback<std::expected<void, stock::errc>> done) override {
        done({});
    }
    void available(
        std::vector<std::int64_t>,
        callback<std::expected<std::vector<std::optional<std::int64_t>>, stock::errc>>) override {}
    void find_event(uuid,
                    callback<std::expected<std::optional<std::string>, stock::errc>>) override {}
    std::expected<void, std::string> check() const override { return {}; }
    void read_levels(std::uint32_t, std::vector<std::int64_t>,
                     callback<std::expected<levels, stock::errc>>) override {}
    void read_outbox(std::uint32_t, std::string,
                     callback<std::expected<outbox_page, stock::errc>>) override {}
};

/// Transactions in a second, of 10 ms each, with a pause of nine times as long between them.
int transactions_in_a_second(std::function<std::uint64_t()> arrivals,
                             std::chrono::milliseconds age = 0ms,
                             std::uint64_t backlog_max = 1'000'000) {
    asio::io_context io;
    endless_log log;
    log.age = age;
    slow_database database;
    quick_ledger ledger;
    no_outbox outbox;
    recorder writes(
        {log, database, ledger, outbox, io, std::move(arrivals), {9, 5'000ms, backlog_max}});
    const auto work = asio::make_work_guard(io);
    std::jthread settling([&] { io.run(); });
    writes.start();
    std::this_thread::sleep_for(1s);
    const int done = log.batches;
    writes.stop(0ms);
    io.stop();
    return done;
}

}  // namespace

TEST_CASE("recorder: rests between batches while orders keep coming, and then no more") {
    std::atomic<std::uint64_t> arrived{0};
    CHECK(transactions_in_a_second([&] { return ++arrived; }) < 30);
    CHECK(transactions_in_a_second([&] { return arrived.load(); }) > 60);
    CHECK(transactions_in_a_second({}) > 60);
}

TEST_CASE("recorder: does not rest once the record is too far behind") {
    std::atomic<std::uint64_t> arrived{0};
    CHECK(transactions_in_a_second([&] { return ++arrived; }, 6s) > 60);
    CHECK(transactions_in_a_second([&] { return arrived += 100; }, 0ms, 100) > 60);
}
