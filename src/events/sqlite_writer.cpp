// The writing end, a thread of its own: one commit after the other, each with all that gathered
// during the one before. What a commit carries is durable when it returns, and only then it is
// confirmed. The rows that the recorder is done with go in the same transactions; only when nothing
// is appended does it make one for them alone.
//
// A commit that fails was rolled back, and nothing of it is in the file. Its events are kept and
// tried again until it works, for they were granted and there is no other copy of them. Meanwhile
// the log says `blocked`, and the reserver refuses before it takes anything. The requests that wait
// for the failed events learn at their deadline that the outcome is unknown. If the process dies
// first, the events are gone and so is the gate that had granted them: the next start gives their
// units back. A failed sync does not come here: the driver ends the process (flashsale/sqlite.hpp).

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>

#include <map>
#include <thread>

#include <flashsale/base/thread_name.hpp>

#include "message_codec.hpp"
#include "sqlite_log.hpp"

namespace flashsale::events {

namespace {

constexpr sqlite::statement insert_entry{"INSERT INTO entries (position, events) VALUES (?1, ?2)"};

using shared_state = std::shared_ptr<sqlite_log_state>;
using attempt = std::expected<void, sqlite::error>;

class sqlite_producer final : public log::producer {
public:
    sqlite_producer(shared_state shared, std::shared_ptr<sqlite_producer_end> end)
        : shared_(std::move(shared)), end_(std::move(end)) {}
    ~sqlite_producer() override { end_->confirmed = nullptr; }

    /// One process has the folder's lock, and no other can append: no token is looked
    /// at, and no fence is needed.
    bool append(std::string event, const uuid&, std::uint64_t ticket) override {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->stopping) return false;
        shared_->waiting.push_back({end_, std::move(event), ticket});
        ++shared_->appended;
        return true;
    }

    void flush() override { shared_->work.notify_one(); }

private:
    shared_state shared_;
    std::shared_ptr<sqlite_producer_end> end_;
};

void confirm(std::span<const sqlite_waiting_event> events, outcome what) {
    std::map<std::shared_ptr<sqlite_producer_end>, std::vector<confirmation>> by_end;
    for (const sqlite_waiting_event& one : events)
        by_end[one.from].push_back({one.ticket, what});
    for (auto& [end, all] : by_end) {
        asio::post(end->reply_on, [to = end, answers = std::move(all)] {
            if (to->confirmed) to->confirmed(answers);
        });
    }
}

class sqlite_writer final : public log {
public:
    sqlite_writer(shared_state shared, sqlite::database file)
        : shared_(std::move(shared)), file_(std::move(file)), deleted_(shared_->recorded) {}
    ~sqlite_writer() override { stop(std::chrono::milliseconds{0}); }

    std::unique_ptr<producer> open_producer(
        asio::io_context& reply_on,
        std::function<void(std::span<const confirmation>)> confirmed) override {
        return std::make_unique<sqlite_producer>(
            shared_, std::make_shared<sqlite_producer_end>(reply_on, std::move(confirmed)));
    }

    log_state state() const override { return health_.load(std::memory_order_relaxed); }

    std::string fault() const override {
        const std::lock_guard lock(shared_->mutex);
        return shared_->fault;
    }

    std::uint64_t appended() const override {
        const std::lock_guard lock(shared_->mutex);
        return shared_->appended;
    }

    void start() override {
        set_health(log_state::up, {});
        thread_ = std::jthread([this] {
            name_this_thread("log writer");
            run();
        });
    }

    void stop(std::chrono::milliseconds patience) override {
        {
            const std::lock_guard lock(shared_->mutex);
            shared_->stopping = true;
            shared_->stop_until = std::chrono::steady_clock::now() + patience;
        }
        shared_->work.notify_one();
        if (thread_.joinable()) thread_.join();
        set_health(log_state::down, "stopped");
    }

private:
    /// What one transaction is to do.
    struct group {
        std::vector<sqlite_waiting_event> events;
        std::uint64_t first_position = 0;
        std::uint64_t recorded = 0;
    };

    void run() {
        while (auto next = take()) {
            std::uint64_t last = next->first_position - 1;
            while (true) {
                const attempt done = commit(*next, last);
                if (done) break;
                if (!wait_after(done.error())) {
                    confirm(next->events, outcome::unknown);
                    give_up();
                    return;
                }
            }
            deleted_ = next->recorded;
            set_health(log_state::up, {});
            {
                const std::lock_guard lock(shared_->mutex);
                shared_->durable = last;
                shared_->unread += next->events.size();
            }
            shared_->fresh.notify_one();
            confirm(next->events, outcome::durable);
        }
    }

    /// Waits for something to do. nullopt: stopped, and nothing waits.
    std::optional<group> take() {
        sqlite_log_state& all = *shared_;
        std::unique_lock lock(all.mutex);
        all.work.wait(
            lock, [&] { return !all.waiting.empty() || all.recorded > deleted_ || all.stopping; });
        if (all.waiting.empty() && all.recorded == deleted_) return std::nullopt;
        group out;
        out.first_position = all.durable + 1;
        out.recorded = all.recorded;
        if (all.waiting.size() <= all.options.events_per_commit_max) {
            out.events.swap(all.waiting);
            all.waiting.reserve(out.events.size());
        } else {
            const auto end = all.waiting.begin() +
                             static_cast<std::ptrdiff_t>(all.options.events_per_commit_max);
            out.events.assign(std::make_move_iterator(all.waiting.begin()),
                              std::make_move_iterator(end));
            all.waiting.erase(all.waiting.begin(), end);
        }
        return out;
    }

    attempt commit(const group& what, std::uint64_t& last) {
        return file_.transaction(sqlite::access::write, [&](sqlite::database& in) -> attempt {
            last = what.first_position - 1;
            if (auto done = insert(in, what.events, last); !done) return done;
            if (what.recorded == deleted_) return {};
            return forget_up_to(in, what.recorded);
        });
    }

    attempt insert(sqlite::database& in, std::span<const sqlite_waiting_event> events,
                   std::uint64_t& last) const {
        message_builder row;
        const auto flush = [&]() -> attempt {
            auto insert = in.prepare(insert_entry);
            const std::string body = row.take();
            auto done = insert.integer(static_cast<std::int64_t>(++last)).text(body).run();
            if (!done) return std::unexpected(done.error());
            return {};
        };
        for (const sqlite_waiting_event& one : events) {
            if (!row.empty() && row.bytes() + one.text.size() > shared_->options.row_bytes_max) {
                if (auto done = flush(); !done) return done;
            }
            row.add(one.text);
        }
        return row.empty() ? attempt{} : flush();
    }

    /// False: the time to stop is over.
    bool wait_after(const sqlite::error& failed) {
        if (health_ == log_state::up) {
            spdlog::error("the log takes nothing, orders are refused until it does: {}",
                          failed.message);
        }
        set_health(log_state::blocked, failed.message);
        sqlite_log_state& all = *shared_;
        const auto until = std::chrono::steady_clock::now() + all.options.retry_interval;
        std::unique_lock lock(all.mutex);
        while (std::chrono::steady_clock::now() < until) {
            if (all.stopping && std::chrono::steady_clock::now() >= all.stop_until) return false;
            all.work.wait_until(lock, all.stopping ? std::min(until, all.stop_until) : until);
        }
        return true;
    }

    void give_up() {
        std::vector<sqlite_waiting_event> left;
        {
            const std::lock_guard lock(shared_->mutex);
            left.swap(shared_->waiting);
        }
        confirm(left, outcome::unknown);
    }

    void set_health(log_state what, std::string why) {
        if (health_ == what) return;
        if (health_ == log_state::blocked && what == log_state::up) {
            spdlog::info("the log takes events again");
        }
        health_ = what;
        const std::lock_guard lock(shared_->mutex);
        shared_->fault = std::move(why);
    }

    const shared_state shared_;
    sqlite::database file_;  // the writer's thread, once it runs
    std::uint64_t deleted_;  // rows up to here are gone; likewise
    std::atomic<log_state> health_{log_state::down};
    std::jthread thread_;
};

}  // namespace

std::unique_ptr<log> make_sqlite_writer(std::shared_ptr<sqlite_log_state> shared,
                                        sqlite::database file) {
    return std::make_unique<sqlite_writer>(std::move(shared), std::move(file));
}

}  // namespace flashsale::events
