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

/// Orders that the first gate of the stack's Redis has granted.
std::uint64_t granted_by_first_gate(world& w);
/// Shards that a process has reopened.
std::size_t reopened_by(world& w, std::size_t which);
/// Messages that a process has published; 0 while it does not say.
std::uint64_t published_by(world& w, std::size_t which);

/// The second process is led to `replica`, promoted; the first one keeps the old master.
void fail_over(world& w, second_redis& replica);

/// The first process still grants, and the second sells what it has; then the first one is put
/// right.
void sell_from_both(world& w);

}  // namespace flashsale::test
