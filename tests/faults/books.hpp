#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crowd.hpp"
#include "sandbox.hpp"

namespace flashsale::test {

/// What the arithmetic over the databases and the crowd's own log says.
struct verdict {
    std::uint64_t faults = 0;
    std::uint64_t accepted = 0;  ///< wishes answered 201
    std::uint64_t unknown = 0;   ///< wishes that had an unknown outcome on the way
    std::uint64_t lost = 0;      ///< 201s that are not in the order database as they were asked for
    std::uint64_t doubled = 0;   ///< orders beyond one for a key
    std::int64_t oversold = 0;   ///< units beyond what was given
    std::int64_t leaked = 0;     ///< units supplied that are neither free nor sold, or both
    std::chrono::milliseconds restored{0};  ///< from the fault's end to the first 201
    bool struck = false;                    ///< the fault could be brought about
    std::vector<std::string> complaints;    ///< everything that is not as promised, a line each

    bool green() const { return complaints.empty(); }
};

/// Keys of orders that were there before the sale, and that no buyer asked for.
inline constexpr std::string_view sold_before_key = "earlier-";
/// Such are also those that the clerk places for late money.
inline constexpr std::string_view bought_again_key = "payment ";

/// What may be set aside. What was answered 201 must be recorded all the same.
struct allowed_parked {
    std::optional<std::size_t> events = 0;  ///< exactly so many; nullopt: any number
    bool refused_late = false;  ///< besides: any number that came behind a fence, and was refused
};

/// Waits for the backlog, audits, and fills everything in but `faults` and `restored`. The sale
/// must be over. `port`: of a process that answers what is free at the gate.
void add_up(verdict& into, const sandbox& place, const crowd& people, std::uint16_t port,
            const allowed_parked& may_be_parked);

}  // namespace flashsale::test
