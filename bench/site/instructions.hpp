#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "site/callgrind.hpp"
#include "site/deployment.hpp"
#include "load/progress.hpp"

namespace flashsale::bench {

struct counting_options {
    std::size_t orders = 20'000;  ///< accepted, and as many refused
    std::size_t pipelined = 16;   ///< on the one connection
    std::filesystem::path out{};  ///< for callgrind's files; empty: they are not kept
};

/// Of all orders. What the server does without any is taken off.
struct counted_orders {
    instructions answered;            ///< of accepted ones, until the last 201
    instructions recorded;            ///< of the same, from then until both databases have them
    instructions refused;             ///< of orders for a sold-out product
    std::uint64_t asked_of_gate = 0;  ///< refusals that the gate decided

    instructions accepted() const;
};

/// Sells on a deployment of its own. Throws sums_fail if an order is answered otherwise than
/// expected or the books do not balance, else std::runtime_error.
counted_orders count_instructions(const workplace& where, const counting_options& options,
                                  progress_line& progress);

}  // namespace flashsale::bench
