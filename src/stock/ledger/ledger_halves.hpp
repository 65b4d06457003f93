#pragma once

#include <flashsale/stock.hpp>

#include <functional>

namespace flashsale::stock {

/// Why a batch of movements was not recorded.
struct ledger_fault {
    bool of_the_data = false;  ///< it never will be, as it is
    std::string message;
};

using recorded_batch = std::expected<std::vector<refused_movement>, ledger_fault>;

/// Records by `whole`, one transaction a call. If one movement spoils its batch, it is found by
/// halves, and named among the refused; what is recorded twice on the way counts once.
std::expected<std::vector<refused_movement>, std::string> record_by_halves(
    std::span<const movement> movements,
    const std::function<recorded_batch(std::span<const movement>)>& whole);

/// Of a movement that was not new, and is not there either.
refused_movement refused_without_error(const movement& what);

/// Of a movement whose units were given back (give_back()): they have returned, or its id is there
/// as another kind.
refused_movement refused_as_given_back(const movement& what);
/// Not so for what the version before gave back: that is a reduction without a key, and one that a
/// client asked for always has one.
inline bool is_same_movement(const movement& what, std::string_view kind, bool has_key) {
    return what.what == operation::sale ? kind == "sale" : kind == "reduction" && has_key;
}

}  // namespace flashsale::stock
