#pragma once

// The record of the embedded site, loaded into a gate in memory.

#include <flashsale/recovery/record_loader.hpp>
#include <flashsale/stock/memory_loader.hpp>

#include "probe.hpp"
#include "record.hpp"

namespace flashsale::app {

/// Throws unavailable_error if the record cannot be read or, where that is refused, does not add
/// up: a gate loaded from it could sell a unit twice.
inline recovery::loaded_record must_load(stock::gate_loader& gate, const record_ports& record,
                                         recovery::differing where_differing) {
    constexpr std::size_t rows_per_page = 5'000;
    const auto loaded =
        recovery::load_record({*record.products, *record.orders, nullptr, gate, 0, 1, rows_per_page,
                               where_differing, [] { return std::expected<void, std::string>{}; }});
    if (!loaded)
        throw unavailable_error("the record cannot be loaded: " + loaded.error() +
                                ": nothing is sold from a record that cannot be read, or does not "
                                "add up; `flashsale audit` names what differs");
    return *loaded;
}

}  // namespace flashsale::app
