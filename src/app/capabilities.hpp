#pragma once

// What a configuration can do, by the gate that it names.

#include <cstdint>

#include "config.hpp"

namespace flashsale::app {

struct capabilities {
    bool embedded = false;          ///< all of it is in this process and its data folder
    bool gate_is_database = false;  ///< the products table is the gate
    std::uint32_t shards = 1;

    /// A gate outlives its process and may lose what it knows: it is rebuilt from the record, older
    /// ones are fenced off, and what comes late is asked for again.
    bool rebuilds_gates() const { return !embedded && !gate_is_database; }
};

inline capabilities capabilities_of(const config& from) {
    capabilities out{.embedded = from.stock.gate == "memory",
                     .gate_is_database = from.stock.gate == "database"};
    if (out.rebuilds_gates()) out.shards = static_cast<std::uint32_t>(from.redis_urls().size());
    return out;
}

}  // namespace flashsale::app
