// When the recorder rests, with a log and databases that are always ready.

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/order/recording.hpp>
#include <flashsale/stock.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
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

/// Takes a while for each transaction, and notes from when to when.
class slow_database final : public recording {
public:
    using clock = std::chrono::steady_clock;
    struct transaction {
        clock::time_point begin, end;
    };
    std::vector<transaction> all() const {
        const std::lock_guard lock(mutex_);
        return all_;
    }

    std::expected<recording_report, std::string> record(std::span<const events::event> orders,
                                                        std::span<const events::poison>) override {
        const auto begin = clock::now();
        std::this_thread::sleep_for(10ms);
        {
            const std::lock_guard lock(mutex_);
            all_.push_back({begin, clock::now()});
        }
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

private:
    mutable std::mutex mutex_;
    std::vector<transaction> all_;
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

/// The pause behind each of so many transactions of 10 ms, in transactions as long as the one
/// before: nine where it rests, less if nine would be more than a second.
std::vector<double> pauses(std::size_t transactions, std::function<std::uint64_t()> arrivals,
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
    const auto patience = std::chrono::steady_clock::now() + 60s;
    while (database.all().size() <= transactions && std::chrono::steady_clock::now() < patience)
        std::this_thread::sleep_for(1ms);
    const auto all = database.all();
    writes.stop(0ms);
    io.stop();
    std::vector<double> out;
    for (std::size_t i = 1; i < all.size() && i <= transactions; ++i) {
        const std::chrono::duration<double> pause = all[i].begin - all[i - 1].end;
        const std::chrono::duration<double> took = all[i - 1].end - all[i - 1].begin;
        out.push_back(pause >= 1s ? 9 : pause / took);
    }
    REQUIRE(out.size() == transactions);
    std::ranges::sort(out);
    return out;
}

/// A busy machine may stop it now and then, and not behind most of its transactions.
bool goes_on(const std::vector<double>& sorted) {
    return sorted[sorted.size() / 2] < 4.5;
}

}  // namespace

TEST_CASE("recorder: rests between batches while orders keep coming, and then no more") {
    std::atomic<std::uint64_t> arrived{0};
    CHECK(pauses(10, [&] { return ++arrived; }).front() >= 9);
    CHECK(goes_on(pauses(60, [&] { return arrived.load(); })));
    CHECK(goes_on(pauses(60, {})));
}

TEST_CASE("recorder: does not rest once the record is too far behind") {
    std::atomic<std::uint64_t> arrived{0};
    CHECK(goes_on(pauses(60, [&] { return ++arrived; }, 6s)));
    CHECK(goes_on(pauses(60, [&] { return arrived += 100; }, 0ms, 100)));
}
