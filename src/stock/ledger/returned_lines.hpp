#pragma once

// What the returns of either database have in common; no I/O.

#include <flashsale/stock/returns.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger_halves.hpp"

namespace flashsale::stock {

/// `return` or `written_off`.
std::string_view kind_of_return(const ended_line& line);

/// Why units of this line cannot be returned, by the kinds that its movements have; empty: they
/// can, or have been.
std::string fault_of_return(const ended_line& line, bool product_exists, std::string_view taken_as,
                            std::string_view came_back_as);

/// In the order in which all that changes several movements writes them.
std::vector<ended_line> in_order(std::span<const ended_line> lines);

/// As record_by_halves() of movements.
using returned_batch = std::expected<recorded_returns, ledger_fault>;
std::expected<recorded_returns, std::string> return_by_halves(
    std::span<const ended_line> lines,
    const std::function<returned_batch(std::span<const ended_line>)>& whole);

}  // namespace flashsale::stock
