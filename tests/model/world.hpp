#pragma once

// Time, chance and what happened. Everything in a run is an event of this queue, and all chance
// comes from one generator, so a seed is a run.

#include <fmt/format.h>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "guards.hpp"
#include "prng.hpp"

namespace flashsale::model {

using micros = std::int64_t;

inline constexpr micros ms = 1'000;
inline constexpr micros second = 1'000'000;

class process;
class redis_server;
class broker;
class order_database;
class stock_database;
class user_database;
class shop;
class buyers;
class life_promises;
class promises;

class world {
public:
    /// `plan`: of faults.cpp; below 0, the seed draws one. `life_percent`: of all seeds, those in
    /// which orders are held, paid for and cancelled.
    world(std::uint64_t seed, guard without, int plan, int life_percent, bool telling);
    ~world();
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    /// The run that the substituted clocks and servers belong to.
    static world* current();

    /// To the end. Empty: every promise held; else what broke.
    std::string run();

    // --- time ---
    micros now() const { return now_; }
    void after(micros delay, std::move_only_function<void()> what);

    // --- chance ---
    prng random;
    /// How long something is on its way over the network.
    micros transit();

    // --- what happened ---
    bool telling() const { return telling_; }
    template <class... Args>
    void tell(std::string_view who, fmt::format_string<Args...> text, Args&&... args) {
        if (telling_) tell_line(who, fmt::format(text, std::forward<Args>(args)...));
    }
    const std::string& history() const { return history_; }

    bool is_without(guard one) const { return without_ == one; }
    guard without() const { return without_; }

    std::vector<std::unique_ptr<process>> processes;
    std::unique_ptr<redis_server> redis;
    std::unique_ptr<broker> amqp;
    std::unique_ptr<order_database> orders;
    std::unique_ptr<stock_database> stock;
    std::unique_ptr<user_database> users;
    std::unique_ptr<promises> promised;
    std::unique_ptr<shop> customers;
    std::unique_ptr<buyers> payers;
    std::unique_ptr<life_promises> lived;

    const bool with_life;
    const int plan_wanted;
    bool faults_over = false;

private:
    struct event {
        micros when;
        std::uint64_t number;
        std::move_only_function<void()> what;
        bool operator<(const event& other) const {
            return when != other.when ? when > other.when : number > other.number;
        }
    };

    void tell_line(std::string_view who, const std::string& text);
    void step();
    bool at_rest() const;

    const guard without_;
    const bool telling_;
    micros now_ = 0;
    std::uint64_t last_event_ = 0;
    std::vector<event> queue_;  // a heap
    std::string history_;
};

/// Arranges what goes wrong in a run, and that all of it ends.
void plan_faults(world& in);

}  // namespace flashsale::model
