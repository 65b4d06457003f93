#pragma once

// Units of orders that have ended, back for sale. They come up at the record first, and the gate is
// told after that: of a product all that was ever supplied, what returned included, and of a buyer
// under a limit all that ever returned. Such numbers only grow, and the gate adds what it has not
// applied yet. So a repeat, a late arrival or a crash in between changes nothing twice.

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "flashsale/stock.hpp"
#include "flashsale/stock/gate_decisions.hpp"

namespace flashsale::stock {

/// A line of an order that has ended, and took its units once.
struct ended_line {
    movement taken;            ///< as the recorder writes it; it may not have yet
    std::int64_t user_id = 0;  ///< the buyer
    bool restock = true;       ///< false: written off, and not offered again
};

struct recorded_returns {
    returned_units units;                   ///< of all but the refused, whether new or not
    std::vector<refused_movement> refused;  ///< never to be recorded as they are, and why
};

/// The port to the returns in the ledger. Blocking; one thread.
class returns {
public:
    virtual ~returns() = default;

    /// One transaction: each line's own movement, if the recorder has not written it, and its
    /// return, once. A line that spoils its batch is found by halves, and refused. An error means
    /// that nothing, or an unknown part, was written, and that the same call has to be made again;
    /// its text is for people.
    virtual std::expected<recorded_returns, std::string> record(
        std::span<const ended_line> lines) = 0;
};

}  // namespace flashsale::stock
