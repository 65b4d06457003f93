#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "record/arithmetic.hpp"
#include "load/closed_loop.hpp"
#include "load/order_traffic.hpp"
#include "load/rush.hpp"

namespace flashsale::bench {

/// What a rush found, and whether it holds.
struct rush_report {
    const rush_options& options;
    const order_traffic& orders;
    load_result load{};
    double storing_seconds = 0;  ///< last answer to last row, as polled
    sums checked{};
    std::int64_t unsold = 0;            ///< units that these users should have got and did not
    std::vector<std::string> faults{};  ///< why it does not hold, in words

    /// Fills `unsold` and `faults`; call once, when the rest is there.
    void judge();
    bool holds() const { return faults.empty(); }

    void print(std::ostream& out) const;
    std::string json() const;
};

}  // namespace flashsale::bench
