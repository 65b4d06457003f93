#include "load/open_loop.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <optional>

#include "load/arrivals.hpp"
#include "load/priority.hpp"

namespace flashsale::bench {

namespace {

constexpr std::chrono::milliseconds reconcile_interval{50};

class open_loop final : public connection::listener {
public:
    open_loop(const open_loop_options& options, traffic& requests,
              const std::function<void()>& warmed, progress_line* progress)
        : options_{options},
          traffic_{requests},
          warmed_{warmed},
          progress_{progress},
          schedule_{{}, options.per_second} {
        const auto& load = options.load;
        for (std::size_t i = 0; i < load.connections; ++i) {
            slots_.push_back(std::make_unique<slot>(
                io_, poller_, load.targets[i % load.targets.size()], i, *this));
        }
    }

    open_loop_result run() {
        const first_in_line now;
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
            : link{io, readiness, to, index, heard} {}

        connection link;
        std::string bytes;
        std::optional<std::size_t> number;
        clock::time_point due{};
    };
    struct waiting {
        std::size_t number;
        clock::time_point due;
    };

    void opened(connection& which) override {
        if (running_) {
            release(*slots_[which.index()]);
            return;
        }
        if (++opened_ < slots_.size()) return;
        running_ = true;
        begin_ = clock::now();
        measured_from_ = begin_ + options_.warm_up;
        end_ = measured_from_ + options_.length;
        schedule_ = arrivals{begin_, options_.per_second};
        for (auto& each : slots_)
            free_.push_back(each.get());
        tick();
    }

    /// Takes everything that is due, then sleeps until the next is.
    void tick() {
        const auto now = clock::now();
        const auto due_now = schedule_.due_by(std::min(now, end_));
        for (; taken_ < due_now; ++taken_) {
            const auto due = schedule_.due(taken_);
            if (due >= measured_from_) {
                if (!warm_) {
                    warm_ = true;
                    if (warmed_) warmed_();
                }
                ++result_.counted;
                result_.lag_ns.record((now - due).count());
            }
            const auto number = traffic_.next();
            if (!number) break;
            ++under_way_;
            queue_.push_back({*number, due});
        }
        send_waiting();
        if (now >= end_) {
            over_ = true;
            return finish_if_done();
        }
        timer_.expires_at(schedule_.look_again(taken_, now));
        timer_.async_wait([this](boost::system::error_code fault) {
            if (!fault) tick();
        });
    }

    void send_waiting() {
        while (!queue_.empty() && !free_.empty()) {
            auto& mine = *free_.back();
            free_.pop_back();
            if (!mine.link.is_open()) {  // the server closed it while it was not used
                mine.link.open();
                continue;
            }
            mine.number = queue_.front().number;
            mine.due = queue_.front().due;
            queue_.pop_front();
            mine.bytes.clear();
            traffic_.render(*mine.number, mine.link.to().host, mine.bytes);
            mine.link.send(mine.bytes);
        }
    }

    void release(slot& mine) {
        mine.number.reset();
        free_.push_back(&mine);
        send_waiting();
    }

    void answered(connection& which, const response_reader& answer) override {
        auto& mine = *slots_[which.index()];
        const auto code =
            answer.status() >= 400 ? problem_code_of(answer.body()) : std::string_view{};
        outcome told{.what = judge(answer.status(), code),
                     .status = answer.status(),
                     .code = code,
                     .body = answer.body()};
        told.replayed = answer.replayed();
        told.maybe_accepted = told.what == verdict::unknown;
        settle(mine, told);
        if (ended_) return;
        if (which.is_open()) {
            release(mine);
        } else {
            mine.number.reset();
            which.open();
        }
    }

    void broken(connection& which, std::string_view why) override {
        auto& mine = *slots_[which.index()];
        result_.last_fault = why;
        if (!running_) {
            result_.failure =
                "cannot connect to http://" + which.to().host + " (" + std::string{why} + ")";
            return finish();
        }
        if (mine.number) {
            ++result_.broken;
            settle(mine, {.what = verdict::unknown, .code = "no_answer", .maybe_accepted = true});
            mine.number.reset();
        }
        if (ended_) return;
        // The next pass tries again: a server that refuses would be asked without a pause.
        lost_.push_back(&mine);
    }

    void settle(slot& mine, outcome what) {
        what.latency = clock::now() - mine.due;
        traffic_.done(*mine.number, what);
        --under_way_;
        finish_if_done();
    }

    void reconcile() {
        if (ended_) return;
        const auto now = clock::now();
        for (auto* each : std::exchange(lost_, {}))
            each->link.open();
        for (auto& each : slots_) {
            if (each->link.is_waiting() &&
                now - each->link.waiting_since() > options_.load.answer_timeout) {
                each->link.give_up("no answer within the deadline");
            }
            if (ended_) return;
        }
        if (running_ && now > end_ + options_.load.give_up) {
            result_.failure = "the server stopped answering (" + result_.last_fault + ")";
            return finish();
        }
        if (progress_ && running_ && ++reconciles_ % 4 == 0) progress_->show(traffic_.progress());
        reconcile_timer_.expires_after(reconcile_interval);
        reconcile_timer_.async_wait([this](boost::system::error_code) { reconcile(); });
    }

    void finish_if_done() {
        if (over_ && under_way_ == 0 && !ended_) finish();
    }

    void finish() {
        ended_ = true;
        result_.seconds = std::chrono::duration<double>(options_.length).count();
        timer_.cancel();
        poller_.stop();
        reconcile_timer_.cancel();
        for (auto& each : slots_)
            each->link.close();
        for (auto& each : slots_) {
            if (each->number) give_back(*each->number, true);
            each->number.reset();
        }
        for (const auto& each : std::exchange(queue_, {}))
            give_back(each.number, false);
    }

    void give_back(std::size_t number, bool sent) {
        if (under_way_ == 0) return;
        --under_way_;
        traffic_.done(number,
                      {.what = verdict::unknown, .code = "no_answer", .maybe_accepted = sent});
    }

    const open_loop_options& options_;
    traffic& traffic_;
    const std::function<void()>& warmed_;
    progress_line* progress_;
    asio::io_context io_{1};
    poller poller_{io_};
    asio::steady_timer timer_{io_};
    asio::steady_timer reconcile_timer_{io_};
    std::vector<std::unique_ptr<slot>> slots_;
    std::vector<slot*> free_;
    std::vector<slot*> lost_;
    std::deque<waiting> queue_;
    arrivals schedule_;
    open_loop_result result_;
    clock::time_point begin_{};
    clock::time_point measured_from_{};
    clock::time_point end_{};
    std::uint64_t taken_ = 0;
    std::size_t opened_ = 0;
    std::size_t under_way_ = 0;
    unsigned reconciles_ = 0;
    bool running_ = false;
    bool warm_ = false;
    bool over_ = false;
    bool ended_ = false;
};

}  // namespace

open_loop_result run_open_loop(const open_loop_options& options, traffic& requests,
                               const std::function<void()>& warmed, progress_line* progress) {
    return open_loop{options, requests, warmed, progress}.run();
}

std::string lateness(const histogram& lag_ns, std::chrono::milliseconds lag_p99_max) {
    const auto lag = std::chrono::nanoseconds{lag_ns.at(0.99)};
    if (lag <= lag_p99_max) return {};
    return fmt::format(
        "the generator itself was late: by {:.1f} ms or more for one request of a hundred (at most "
        "{} ms would do), so percentiles would measure the generator",
        static_cast<double>(lag.count()) / 1e6, lag_p99_max.count());
}

}  // namespace flashsale::bench
