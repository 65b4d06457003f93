#pragma once

// A process of the deployment: the real gates, reserver, event log, recorder and recovery over the
// simulated servers. It can die between any two of its steps, and sleep; what it holds dies with
// it.

#include <flashsale/base/async.hpp>
#include <flashsale/events/amqp.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/redis.hpp>
#include <flashsale/stock/module.hpp>

#include <memory>
#include <unordered_map>
#include <utility>

#include "databases.hpp"
#include "fiber.hpp"
#include "world.hpp"

namespace flashsale::order {
class service;
}  // namespace flashsale::order

namespace flashsale::model {

class process {
public:
    process(world& in, int number);
    ~process();

    world& in;
    const int number;
    const std::string name;

    void start();
    void die();
    void sleep_for(micros time);
    bool alive() const { return parts_ != nullptr; }
    bool asleep() const { return asleep_; }
    /// Counts lives.
    std::uint64_t life() const { return life_; }

    /// Where this process looks for its gate, from its next life on. Others may look elsewhere: it
    /// was configured so, or it is cut off together with a server that others have replaced.
    void move(int to) { next_place_ = to; }
    int place() const { return place_; }
    /// Rebuilds the gate once, as `flashsale rebuild` does, whatever state it is in.
    void rebuild_by_hand();

    // --- events of this life: dropped when it dies, late when it sleeps ---
    void after(micros delay, std::move_only_function<void()> what);
    /// Keeps `what` until called by number; for replies that come from outside.
    std::uint64_t keep(std::move_only_function<void()> what);
    /// What was kept runs after `delay`, if this life still lasts. Callable from server events.
    static void call_later(world& in, int number, std::uint64_t life, std::uint64_t kept,
                           micros delay);

    void spawn(awaitable<void> what);

    /// One statement of a database, as a whole: on its way, done or not, the reply perhaps lost.
    template <class T>
    awaitable<std::expected<T, std::string>> ask(database& of, std::move_only_function<T()> what) {
        using reply = std::expected<T, std::string>;
        co_return co_await await_callback<reply>([&](callback<reply> done) {
            auto result = std::make_shared<std::optional<T>>();
            const std::uint64_t kept = keep([result, done = std::move(done)]() mutable {
                if (*result) return done(std::move(**result));
                done(std::unexpected("the database did not answer"));
            });
            of.travel(number, life_, kept,
                      [result, what = std::move(what)](bool reply_lost) mutable {
                          auto value = what();
                          if (!reply_lost) *result = std::move(value);
                      });
        });
    }

    // --- threads of the code under test ---
    static process& being_started();
    static process& of_current_fiber();
    /// Makes it a fiber, which begins at once. Returns its number, not 0.
    std::uint64_t adopt(std::function<void()> body);
    /// Blocks the current fiber.
    void nap(micros time);
    /// Until something arrives for the recorder, or so long.
    void block_for_arrival(micros most);
    /// Until `done` says so, which what arrives sees to, or so long; 0: for as long as it takes.
    void block_until(const std::function<bool()>& done, micros most = 0);
    /// As ask(), for a fiber.
    template <class T>
    std::expected<T, std::string> ask_now(database& of, std::move_only_function<T()> what) {
        auto result = std::make_shared<std::optional<T>>();
        const std::uint64_t kept = keep([self = fiber::current()] { self->resume(); });
        of.travel(number, life_, kept, [result, what = std::move(what)](bool reply_lost) mutable {
            auto value = what();
            if (!reply_lost) *result = std::move(value);
        });
        fiber::block();
        if (*result) return std::move(**result);
        return std::unexpected("the database did not answer");
    }

    stock::gate& gate();
    stock::gate& recovery_gate();
    redis::client& recovery_client();
    stock::redis_gate_options gate_options() const;
    order::service& service();
    stock::reserver& reserver();
    stock::shard_epochs& epochs();
    asio::io_context& io();
    uuid make_id();
    events::log& log();
    /// Whether recovery is to look at once; once.
    bool take_hurry() { return std::exchange(hurried_, false); }

    void arrived();  ///< something for the recorder

    void ask_to_wait() { ++busy_; }
    void done_waiting() { --busy_; }

private:
    struct parts;

    struct waiter {
        std::uint64_t number;
        fiber* who;
        const std::function<bool()>* done;  ///< on its stack
        bool over = false;
    };

    void fire(std::uint64_t kept);
    bool resume_a_waiter();
    void poll();
    void tick();
    void end_fibers();

    std::unique_ptr<parts> parts_;
    std::uint64_t life_ = 0;
    int place_ = 0, next_place_ = 0;
    bool asleep_ = false;
    std::uint64_t sleeps_ = 0;
    std::vector<std::uint64_t> missed_;
    std::unordered_map<std::uint64_t, std::move_only_function<void()>> kept_;
    std::uint64_t last_kept_ = 0;
    std::uint64_t arrival_waiter_ = 0;
    bool arrival_ = false;
    bool hurried_ = false;
    std::uint64_t last_waiter_ = 0;
    std::vector<waiter> waiters_;
    int busy_ = 0;  ///< requests whose deadline the reserver's timer watches
    bool ticking_ = false;
    std::vector<std::unique_ptr<fiber>> fibers_;
};

inline constexpr std::int64_t confirm_deadline_ms = 500;
inline constexpr const char* deployment = "deployment";

}  // namespace flashsale::model
