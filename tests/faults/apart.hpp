#pragma once

// What the cells of the fence have in common: the first process goes on selling from a gate that
// whoever opens the next one cannot reach.

#include <memory>

#include "cell.hpp"
#include "second_redis.hpp"

namespace flashsale::test {

/// The first process sells only: it neither records nor sweeps, so the other one does, and reopens.
/// All want one scarce product, so that units of two gates are not had twice unnoticed.
world_options apart_options();

/// Reopenings that a process has brought to their end.
std::size_t reopened_by(world& w, std::size_t which);
/// Of the page /metrics of a process; `name` without the prefix.
std::uint64_t counter(world& w, std::size_t which, const std::string& name);

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
    std::uint64_t granted() const;

    world& w_;
    std::uint64_t granted_, returned_;
};

}  // namespace flashsale::test
