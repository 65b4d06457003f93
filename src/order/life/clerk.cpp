// The clerk's thread: what was asked for meanwhile is one batch, and between batches it looks for
// holds whose time is up and for what was left unfinished.

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <flashsale/base/thread_name.hpp>

#include "life_work.hpp"

namespace flashsale::order {

namespace {

using steady = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Between two tries, while a database or the gate does not do what it is asked.
constexpr auto retry_interval = 100ms;
/// What waits for another change of its order, or for the recorder, is looked at again.
constexpr auto look_again_interval = 5ms;

struct waiting_change {
    asked_change one;
    asio::io_context* reply_on;
    callback<order_changes::answer> done;
};

}  // namespace

struct clerk::impl {
    impl(const dependencies& what, const clerk_options& bounds)
        : uses(what), options(bounds), work(what, bounds) {}

    void run() {
        auto next_expiry = steady::now(), next_resume = next_expiry;
        while (true) {
            take_in();
            uses.poll();
            if (stopping && (waiting.empty() || steady::now() >= stop_at)) break;
            auto again_at = std::min(next_expiry, next_resume);
            if (!waiting.empty()) {
                const bool done = attempt(part::change, [this] { return change(); });
                answer();
                if (!waiting.empty())
                    again_at = steady::now() + (done ? look_again_interval : retry_interval);
            }
            if (stopping) {
                rest_until(again_at);
                continue;
            }
            if (steady::now() >= next_expiry) {
                bool more = false;
                const bool done =
                    attempt(part::expire, [&] { return note_more(work.expire(), more); });
                next_expiry = next_look(done, more, options.expiry_interval);
            }
            if (steady::now() >= next_resume) {
                bool more = false;
                const bool done =
                    attempt(part::resume, [&] { return note_more(work.resume(), more); });
                next_resume = next_look(done, more, options.resume_interval);
            }
            rest_until(std::min({again_at, next_expiry, next_resume}));
        }
        for (waiting_change& one : waiting)
            one.one.fail(change_failure::kind::outcome_unknown);
        answer();
    }

    /// From what other threads have handed over.
    void take_in() {
        std::unique_lock lock(mutex);
        for (waiting_change& one : arrived)
            waiting.push_back(std::move(one));
        arrived.clear();
    }

    done change() {
        batch next;
        for (waiting_change& one : waiting) {
            if (next.size() == options.batch_orders_max) break;
            next.push_back(&one.one);
        }
        return work.change(next, steady::now());
    }

    /// Those that have an answer, and those whose time is over. What has been in a batch is in the
    /// next one behind what has not.
    void answer() {
        const auto now = steady::now();
        const auto tried = std::min(waiting.size(), options.batch_orders_max);
        std::ranges::rotate(waiting, waiting.begin() + static_cast<std::ptrdiff_t>(tried));
        std::deque<waiting_change> rest;
        for (waiting_change& each : waiting) {
            if (!each.one.answer && now >= each.one.until)
                each.one.fail(change_failure::kind::outcome_unknown);
            if (!each.one.answer) {
                rest.push_back(std::move(each));
                continue;
            }
            held.fetch_sub(1, std::memory_order_relaxed);
            asio::post(*each.reply_on, [done = std::move(each.done),
                                        answer = std::move(*each.one.answer)]() mutable {
                done(std::move(answer));
            });
        }
        waiting = std::move(rest);
    }

    static done note_more(const std::expected<bool, std::string>& outcome, bool& more) {
        if (!outcome) return std::unexpected(outcome.error());
        more = *outcome;
        return {};
    }

    static deadline next_look(bool done, bool more, steady::duration interval) {
        const auto now = steady::now();
        if (!done) return now + std::max<steady::duration>(interval, retry_interval);
        return more ? now : now + interval;
    }

    /// Each has a fault of its own: that holds still end does not mean that a refund goes back.
    enum class part : std::uint8_t { change, expire, resume };
    template <class What>
    bool attempt(part of, What what) {
        const done outcome = what();
        auto& fault = faults[static_cast<std::size_t>(of)];
        std::optional<known_fault> now;
        if (!outcome) now = known_fault{outcome.error(), false};
        if (now == fault) return outcome.has_value();
        if (now) spdlog::warn("clerk: {}", now->what);
        fault = std::move(now);
        const auto first =
            std::ranges::find_if(faults, [](const auto& one) { return one.has_value(); });
        if (uses.board) uses.board->set("clerk", first == faults.end() ? std::nullopt : *first);
        return outcome.has_value();
    }

    void rest_until(deadline until) {
        std::unique_lock lock(mutex);
        woken.wait_until(lock, until, [this] { return !arrived.empty() || wake; });
        wake = false;
    }

    const dependencies uses;
    const clerk_options options;
    std::atomic<std::size_t> held{0};  ///< requests that are not answered
    std::mutex mutex;
    std::condition_variable woken;
    std::deque<waiting_change> arrived;  // under mutex
    bool wake = false;                   // under mutex
    std::atomic<bool> stopping{false};
    deadline stop_at{};  // written before stopping
    // --- the clerk's thread ---
    life_work work;
    std::deque<waiting_change> waiting;
    std::array<std::optional<known_fault>, 3> faults;  // of its parts; the first is on the board
    std::jthread thread;
};

clerk::clerk(const dependencies& uses, const clerk_options& options)
    : impl_(std::make_unique<impl>(uses, options)) {}
clerk::~clerk() {
    stop(0ms);
}

void clerk::ask(change_request what, asio::io_context& reply_on, callback<answer> done) {
    if (impl_->held.fetch_add(1, std::memory_order_relaxed) >=
        impl_->options.waiting_requests_max) {
        impl_->held.fetch_sub(1, std::memory_order_relaxed);
        asio::post(reply_on, [done = std::move(done)]() mutable {
            done(std::unexpected(change_failure{.why = change_failure::kind::overloaded}));
        });
        return;
    }
    const auto now = steady::now();
    waiting_change one{
        {std::move(what), now + impl_->options.patience, now + impl_->options.record_after},
        &reply_on,
        std::move(done)};
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->arrived.push_back(std::move(one));
    }
    impl_->woken.notify_one();
}

void clerk::start() {
    impl_->thread = std::jthread([this] {
        name_this_thread("clerk");
        impl_->run();
    });
}

void clerk::stop(std::chrono::milliseconds patience) {
    if (!impl_->thread.joinable()) return;
    impl_->stop_at = steady::now() + patience;
    impl_->stopping = true;
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->wake = true;
    }
    impl_->woken.notify_one();
    impl_->thread.join();
}

}  // namespace flashsale::order
