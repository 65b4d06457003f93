// Jobs that come while a transaction is under way gather for the next: reads in one snapshot,
// writes in one transaction with one sync, each in a savepoint of its own. No job is answered
// before the commit. If it fails, all jobs that wrote in it are told so: nothing of theirs
// happened.

#include <boost/asio/post.hpp>

#include <condition_variable>
#include <deque>
#include <stdexcept>
#include <thread>

#include <flashsale/base/thread_name.hpp>

#include "connection.hpp"
#include "error.hpp"
#include "metrics.hpp"

namespace flashsale::sqlite {

struct queue::state {
    struct waiting_job {
        access how;
        job work;
        asio::io_context& reply_on;
        callback<std::expected<void, error>> done;
        std::expected<void, error> outcome;
    };

    state(options given, queue_limits limits) : settings(std::move(given)), bounds(limits) {}

    static void answer(waiting_job job) {
        asio::io_context& io = job.reply_on;
        asio::post(io, [done = std::move(job.done), outcome = std::move(job.outcome)]() mutable {
            done(std::move(outcome));
        });
    }

    void run() {
        while (true) {
            std::vector<waiting_job> reads, writes;
            {
                std::unique_lock lock(mutex);
                arrived.wait(lock, [this] { return stopping || !waiting.empty(); });
                if (waiting.empty()) return;
                const std::size_t count = std::min(waiting.size(), bounds.jobs_per_transaction_max);
                for (std::size_t i = 0; i < count; ++i) {
                    auto& into = waiting.front().how == access::read ? reads : writes;
                    into.push_back(std::move(waiting.front()));
                    waiting.pop_front();
                }
            }
            run_together(access::read, std::move(reads));
            run_together(access::write, std::move(writes));
        }
    }

    void run_together(access how, std::vector<waiting_job> jobs) {
        if (jobs.empty()) return;
        auto committed = connection->transaction(how, [&](database& in) {
            for (waiting_job& one : jobs) {
                one.outcome = how == access::read
                                  ? one.work(in)
                                  : in.attempt([&](database& part) { return one.work(part); });
                if (!in.in_transaction()) return one.outcome;
            }
            return std::expected<void, error>{};
        });
        set_fault(committed);
        for (waiting_job& one : jobs) {
            if (!committed) one.outcome = committed;
            // What the work holds is freed here, not on the thread that is answered.
            one.work = nullptr;
            answer(std::move(one));
        }
    }

    void set_fault(const std::expected<void, error>& committed) {
        const std::lock_guard lock(mutex);
        fault = committed ? std::nullopt : std::optional(committed.error().message);
    }

    const options settings;
    const queue_limits bounds;
    std::optional<database> connection;  // the thread's, once it runs

    mutable std::mutex mutex;
    std::condition_variable arrived;
    std::deque<waiting_job> waiting;               // under mutex
    bool running = false;                          // under mutex
    bool stopping = false;                         // under mutex
    std::optional<std::string> fault{"not open"};  // under mutex
    std::jthread thread;
};

queue::queue(options settings, queue_limits bounds)
    : state_(std::make_shared<state>(std::move(settings), bounds)) {}

queue::~queue() {
    stop();
}

void queue::start() {
    auto opened = database::open(state_->settings);
    if (!opened) {
        throw std::runtime_error(state_->settings.file.string() + ": " + opened.error().message);
    }
    state_->connection.emplace(std::move(*opened));
    {
        const std::lock_guard lock(state_->mutex);
        state_->running = true;
        state_->fault.reset();
    }
    state_->thread = std::jthread([self = state_] {
        name_this_thread("sqlite");
        self->run();
    });
}

void queue::stop() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->running = false;
        state_->stopping = true;
        if (!state_->fault) state_->fault = "stopped";
    }
    state_->arrived.notify_all();
    if (state_->thread.joinable()) state_->thread.join();
    state_->connection.reset();
}

std::expected<void, std::string> queue::check() const {
    const std::lock_guard lock(state_->mutex);
    if (!state_->fault) return {};
    return std::unexpected(*state_->fault);
}

void queue::submit(access how, job work, asio::io_context& reply_on,
                   callback<std::expected<void, error>> done) {
    state::waiting_job one{how, std::move(work), reply_on, std::move(done), {}};
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->running && state_->waiting.size() < state_->bounds.waiting_jobs_max) {
            metrics::jobs.add();
            state_->waiting.push_back(std::move(one));
            state_->arrived.notify_one();
            return;
        }
        if (state_->running) {
            metrics::overloaded.add();
            one.outcome = std::unexpected(
                make_error(error::kind::overloaded, "too many are waiting for the database"));
        } else {
            one.outcome =
                std::unexpected(make_error(error::kind::unavailable, "the database is closed"));
        }
    }
    state::answer(std::move(one));
}

}  // namespace flashsale::sqlite
