#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <future>

#include "opened.hpp"

using namespace flashsale;
using namespace flashsale::sqlite;
using namespace flashsale::sqlite::test;
using flashsale::test::scratch_folder;
using flashsale::test::small_disk;

namespace {

/// A queue on a table of numbers, and the thread that asks it.
struct asked_queue {
    explicit asked_queue(const std::filesystem::path& file, queue_limits bounds = {})
        : numbers(with_numbers(file)), asked(options_of(file), bounds) {
        asked.start();
    }

    /// Blocks the queue's thread until the promise is kept. Returns when it is blocked: what is
    /// asked from now on waits, and this job does not.
    void hold(std::shared_future<void> until) {
        std::promise<void> begun;
        asked.submit(
            access::read,
            [until, &begun](database&) {
                begun.set_value();
                until.wait();
                return std::expected<void, error>{};
            },
            io, [](std::expected<void, error>) {});
        begun.get_future().wait();
    }

    void add(std::int64_t number, std::vector<std::expected<void, error>>& outcomes) {
        asked.submit(
            access::write, [number](database& in) { return insert(in, number); }, io,
            [&outcomes](std::expected<void, error> done) { outcomes.push_back(std::move(done)); });
    }

    void run_until(const std::function<bool()>& condition) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (!condition()) {
            REQUIRE(std::chrono::steady_clock::now() < until);
            io.restart();
            io.run_one_for(std::chrono::milliseconds{5});
        }
    }

    database numbers;
    asio::io_context io{1};
    queue asked;
};

}  // namespace

TEST_CASE("sqlite queue: jobs that gathered are committed together, each failing alone") {
    scratch_folder folder;
    asked_queue here(folder / "a.db");
    std::promise<void> release;
    here.hold(release.get_future().share());
    std::vector<std::expected<void, error>> outcomes;
    for (const std::int64_t number : {1, 2, 1, -1, 3})
        here.add(number, outcomes);
    here.asked.submit(
        access::write,
        [](database& in) {
            must(insert(in, 100));  // and then fails: it must be gone
            return insert(in, -1);
        },
        here.io, [&](std::expected<void, error> done) { outcomes.push_back(std::move(done)); });
    CHECK(count(here.numbers) == 0);
    release.set_value();
    here.run_until([&] { return outcomes.size() == 6; });
    CHECK(outcomes[0].has_value());
    CHECK(outcomes[1].has_value());
    REQUIRE_FALSE(outcomes[2].has_value());
    CHECK(outcomes[2].error().what == error::kind::unique_violation);
    REQUIRE_FALSE(outcomes[3].has_value());
    CHECK(outcomes[3].error().what == error::kind::data);
    CHECK(outcomes[4].has_value());
    CHECK_FALSE(outcomes[5].has_value());
    CHECK(count(here.numbers) == 3);
    CHECK(here.asked.check().has_value());
}

TEST_CASE("sqlite queue: a coroutine gets what its job returned") {
    scratch_folder folder;
    asked_queue here(folder / "a.db");
    std::optional<std::int64_t> counted;
    const auto ask = [](asked_queue& at, std::optional<std::int64_t>& into) -> awaitable<> {
        auto made = co_await at.asked.execute<int>(access::write, at.io,
                                                   [](database& in) -> std::expected<int, error> {
                                                       must(insert(in, 7));
                                                       return 1;
                                                   });
        REQUIRE(made.has_value());
        auto found = co_await at.asked.execute<std::int64_t>(
            access::read, at.io,
            [](database& in) -> std::expected<std::int64_t, error> { return count(in); });
        REQUIRE(found.has_value());
        into = *found;
    };
    asio::co_spawn(here.io, ask(here, counted), [](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
    here.run_until([&] { return counted.has_value(); });
    CHECK(counted == 1);
}

TEST_CASE("sqlite queue: beyond its limit it refuses, and runs what it took") {
    scratch_folder folder;
    asked_queue here(folder / "a.db", {.waiting_jobs_max = 3, .jobs_per_transaction_max = 2});
    std::promise<void> release;
    const auto held = release.get_future().share();
    here.hold(held);
    std::vector<std::expected<void, error>> outcomes;
    for (int i = 0; i < 8; ++i)
        here.add(i, outcomes);
    release.set_value();
    here.run_until([&] { return outcomes.size() == 8; });
    const auto refused = std::ranges::count_if(outcomes, [](const auto& one) {
        return !one && one.error().what == error::kind::overloaded;
    });
    CHECK(refused == 5);
    CHECK(count(here.numbers) == 3);
}

TEST_CASE("sqlite queue: what waits at the stop is done, what comes later is not taken") {
    scratch_folder folder;
    asked_queue here(folder / "a.db");
    std::promise<void> release;
    here.hold(release.get_future().share());
    std::vector<std::expected<void, error>> outcomes;
    here.add(1, outcomes);
    std::thread stopping([&] { here.asked.stop(); });
    release.set_value();
    stopping.join();
    here.add(2, outcomes);
    here.run_until([&] { return outcomes.size() == 2; });
    CHECK(outcomes[0].has_value());
    REQUIRE_FALSE(outcomes[1].has_value());
    CHECK(outcomes[1].error().what == error::kind::unavailable);
    CHECK(count(here.numbers) == 1);
}

TEST_CASE("sqlite queue: on a full disk all who wrote are told, and readers are served") {
    small_disk disk(1 << 20);
    asked_queue here(disk / "a.db");
    std::vector<std::expected<void, error>> outcomes;
    disk.fill();
    const auto last_failed = [&] { return !outcomes.empty() && !outcomes.back(); };
    std::int64_t asked = 0;
    while (!last_failed() && asked < 5'000) {
        here.add(++asked, outcomes);
        here.run_until([&] { return std::ssize(outcomes) == asked; });
    }
    REQUIRE(last_failed());
    CHECK(outcomes.back().error().what == error::kind::full);
    CHECK_FALSE(here.asked.check().has_value());
    CHECK(count(here.numbers) == asked - 1);
    disk.empty();
    here.add(++asked, outcomes);
    here.run_until([&] { return std::ssize(outcomes) == asked; });
    CHECK(outcomes.back().has_value());
    CHECK(here.asked.check().has_value());
}
