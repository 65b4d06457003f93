#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "load/closed_loop.hpp"
#include "load/hold_traffic.hpp"
#include "load/holds.hpp"
#include "record/arithmetic.hpp"
#include "record/life_sums.hpp"

namespace flashsale::bench {

/// What a sale of held orders found, and whether it holds.
struct holds_report {
    const holds_options& options;
    const hold_traffic& orders;
    load_result load{};
    double settling_seconds = 0;  ///< last answer to the last return, as polled
    sums checked{};
    life_sums lives{};
    std::vector<std::string> faults{};  ///< why it does not hold, in words

    /// Fills `faults`; call once, when the rest is there.
    void judge();
    bool holds() const { return faults.empty(); }

    void print(std::ostream& out) const;
    std::string json() const;
};

}  // namespace flashsale::bench
