#include "load/closed_loop.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <optional>

namespace flashsale::bench {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds reconcile_interval{50};
constexpr unsigned reconciles_per_progress = 4;
constexpr milliseconds backoff_first{50};
constexpr milliseconds backoff_max{2'000};

class closed_loop final : public connection::listener {
public:
    closed_loop(const load_options& options, traffic& requests, progress_line* progress)
        : options_{options}, traffic_{requests}, progress_{progress} {
        for (std::size_t i = 0; i < options.connections; ++i) {
            slots_.push_back(std::make_unique<slot>(
                io_, poller_, options.targets[i % options.targets.size()], i, *this));
        }
    }

    load_result run() {
        result_.started = last_answer_ = clock::now();
        for (auto& each : slots_)
            each->link.open();
        reconcile();
        io_.run();
        if (progress_) progress_->clear();
        return std::move(result_);
    }

private:
    struct slot {
        slot(asio::io_context& io, poller& readiness, const target& to, std::size_t index,
             connection::listener& heard)
            : link{io, readiness, to, index, heard}, backoff{io} {}

        connection link;
        asio::steady_timer backoff;
        std::string bytes;
        std::optional<std::size_t> number;  // the request under way
        std::deque<std::size_t> behind;     // those sent together with it
        bool sent = false;                  // this try of it
        bool maybe_accepted = false;
        unsigned tries = 0;
        clock::time_point first_sent{};
    };

    void opened(connection& which) override {
        auto& mine = *slots_[which.index()];
        if (!running_) {
            if (++opened_ == slots_.size()) begin();
            return;
        }
        if (mine.number) send(mine);
    }

    void begin() {
        running_ = true;
        result_.started = last_answer_ = clock::now();
        busy_ = slots_.size();
        for (auto& each : slots_)
            take_next(*each);
    }

    void take_next(slot& mine) {
        mine.number = stopping_ ? std::nullopt : traffic_.next();
        if (!mine.number) {
            mine.link.close();
            if (--busy_ == 0) finish();
            return;
        }
        mine.tries = 0;
        mine.first_sent = {};
        mine.maybe_accepted = false;
        mine.bytes.clear();
        traffic_.render(*mine.number, mine.link.to().host, mine.bytes);
        while (mine.behind.size() + 1 < options_.pipelined) {
            const auto next = traffic_.next();
            if (!next) break;
            mine.behind.push_back(*next);
            traffic_.render(*next, mine.link.to().host, mine.bytes);
        }
        attempt(mine);
    }

    void attempt(slot& mine) {
        mine.sent = false;
        if (mine.link.is_open()) {
            send(mine);
        } else {
            mine.link.open();
        }
    }

    void send(slot& mine) {
        const auto together = 1 + mine.behind.size();
        result_.tries += together;
        mine.sent = true;
        ++mine.tries;
        mine.link.send(mine.bytes, together);
        if (mine.first_sent == clock::time_point{}) mine.first_sent = mine.link.waiting_since();
    }

    void answered(connection& which, const response_reader& answer) override {
        auto& mine = *slots_[which.index()];
        last_answer_ = clock::now();
        const auto body = answer.body();
        const auto code = answer.status() >= 400 ? problem_code_of(body) : std::string_view{};
        auto what = judge(answer.status(), code);
        if (what == verdict::unknown) mine.maybe_accepted = true;
        const bool try_again = what == verdict::unknown || answer.status() == 503;
        if (try_again && may_try_again(mine)) {
            return attempt_later(mine, std::chrono::seconds{answer.retry_after_s()});
        }
        // The server was not there for the last try, and an earlier one may have gone through.
        if (answer.status() == 503 && mine.maybe_accepted) what = verdict::unknown;
        outcome told{.what = what, .status = answer.status(), .code = code, .body = body};
        told.replayed = answer.replayed();
        settle(mine, told);
    }

    void broken(connection& which, std::string_view why) override {
        auto& mine = *slots_[which.index()];
        if (!running_) {
            return fail("cannot connect to http://" + which.to().host + " (" + std::string{why} +
                        ")");
        }
        if (!mine.number) return;
        if (mine.sent) {
            mine.maybe_accepted = true;
            result_.broken_tries += 1 + mine.behind.size();
        } else {
            ++mine.tries;
        }
        result_.last_fault = why;
        if (may_try_again(mine)) return attempt_later(mine, {});
        settle_all(mine, mine.sent ? "no_answer" : "no_connection");
    }

    void attempt_later(slot& mine, milliseconds asked) {
        const auto doubled = backoff_first * (1u << std::min(mine.tries, 6u));
        mine.backoff.expires_after(std::min(backoff_max, std::max(asked, doubled)));
        mine.backoff.async_wait([this, &mine](boost::system::error_code) {
            if (mine.number) attempt(mine);
        });
    }

    bool may_try_again(const slot& mine) const {
        return mine.tries <= options_.retries && options_.pipelined == 1 && !stopping_;
    }

    /// There is no answer to come.
    void settle_all(slot& mine, std::string_view why) {
        const bool maybe = mine.maybe_accepted;
        for (auto left = 1 + mine.behind.size(); left > 0; --left) {
            mine.maybe_accepted = maybe;
            settle(mine, {.what = verdict::unknown, .code = why});
        }
    }

    void settle(slot& mine, outcome what) {
        what.maybe_accepted = mine.maybe_accepted;
        what.tries = mine.tries;
        if (mine.first_sent != clock::time_point{}) what.latency = clock::now() - mine.first_sent;
        traffic_.done(*mine.number, what);
        if (mine.behind.empty()) return take_next(mine);
        mine.number = mine.behind.front();
        mine.behind.pop_front();
        mine.maybe_accepted = false;
    }

    void reconcile() {
        if (ended_) return;
        const auto now = clock::now();
        for (auto& each : slots_) {
            if (each->link.is_waiting() &&
                now - each->link.waiting_since() > options_.answer_timeout) {
                each->link.give_up("no answer within the deadline");
            }
            if (ended_) return;
        }
        if (running_ && !stopping_ && now - last_answer_ > options_.give_up) stop();
        if (ended_) return;
        if (progress_ && running_ && ++reconciles_ % reconciles_per_progress == 0) {
            progress_->show(traffic_.progress());
        }
        timer_.expires_after(reconcile_interval);
        timer_.async_wait([this](boost::system::error_code) { reconcile(); });
    }

    void stop() {
        stopping_ = true;
        result_.failure = "the server stopped answering (" + result_.last_fault + ")";
        for (auto& each : slots_) {
            if (!each->number) continue;
            each->backoff.cancel();
            each->link.close();
            if (each->sent) each->maybe_accepted = true;
            settle_all(*each, "no_answer");
        }
    }

    void fail(std::string sentence) {
        if (result_.failure.empty()) result_.failure = std::move(sentence);
        finish();
    }

    void finish() {
        ended_ = true;
        result_.finished = clock::now();
        timer_.cancel();
        poller_.stop();
        for (auto& each : slots_) {
            each->number.reset();
            each->behind.clear();
            each->backoff.cancel();
            each->link.close();
        }
    }

    const load_options& options_;
    traffic& traffic_;
    progress_line* progress_;
    asio::io_context io_{1};
    poller poller_{io_};
    asio::steady_timer timer_{io_};
    std::vector<std::unique_ptr<slot>> slots_;
    load_result result_;
    std::size_t opened_ = 0;
    std::size_t busy_ = 0;
    unsigned reconciles_ = 0;
    bool running_ = false;
    bool stopping_ = false;
    bool ended_ = false;
    clock::time_point last_answer_{};
};

}  // namespace

load_result run_closed_loop(const load_options& options, traffic& requests,
                            progress_line* progress) {
    return closed_loop{options, requests, progress}.run();
}

}  // namespace flashsale::bench
