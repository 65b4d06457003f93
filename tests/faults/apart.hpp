#pragma once

// What the cells of the fence have in common: the first process goes on selling from a gate that
// the opener of the next one cannot reach.

#include <memory>
#include <thread>

#include "cell.hpp"
#include "second_redis.hpp"

namespace flashsale::test {

/// The first process sells only: it neither records nor reconciles, so the other one does, and
/// rebuilds. All want one scarce product, so that units of two gates are not had twice unnoticed.
world_options apart_options();

/// Rebuilds that a process has brought to their end.
std::size_t rebuilt_by(world& w, std::size_t which);
/// Of the page /metrics of a process; `name` without the prefix.
std::uint64_t counter(world& w, std::size_t which, const std::string& name);

/// Of the product that all want.
inline constexpr int units_granted_at_once = 40;

/// The first process has them granted in one go, and at that moment loses the log: it publishes
/// them in one message as soon as w.own().rabbitmq is opened, and takes no other order till then.
/// The second must have no gate meanwhile: it would have them.
void grant_and_lose_the_log(world& w);

/// The second process has none left of the product that all want.
void sell_out(world& w);

/// The second process is led to `replica`, promoted, as soon as w.redis() is opened; the first one
/// keeps the old master.
void fail_over(world& w, second_redis& replica);

/// Of the first gate of the stack's Redis, which the first process goes on asking.
class first_gate {
public:
    explicit first_gate(world& w);

    /// It has granted since, or what it had granted came back from the log; and the second sells
    /// what it has. Then the first process is put right.
    void sell_from_both();

private:
    world& w_;
    std::uint64_t granted_, returned_;
};

/// No process reconciles while it lives, and so asks the new gate for what came late. By then its
/// units are sold; else it would be granted, and what came of counting it would not show.
class no_reconciling {
public:
    explicit no_reconciling(world& w);
    ~no_reconciling();
    no_reconciling(const no_reconciling&) = delete;
    no_reconciling& operator=(const no_reconciling&) = delete;

private:
    const std::string url_;
    std::thread holding_;
};

}  // namespace flashsale::test
