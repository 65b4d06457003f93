#pragma once

// Loads the record of one shard into a gate, in pieces, and checks that what it loaded is what the
// stock database says: for the rebuild of a gate in Redis, for the start of one in memory, and for
// the audit of the latter. Blocking.

#include <cstdint>
#include <expected>
#include <string>

#include <flashsale/order/record.hpp>
#include <flashsale/stock.hpp>
#include <flashsale/stock/gate_loader.hpp>
#include <flashsale/stock/record.hpp>

namespace flashsale::recovery {

/// What is done where orders and ledger differ.
enum class differing {
    mended,   ///< an order gets its movement, a movement without an order keeps its units; what
              ///< still does not add up is an error
    refused,  ///< an error
    taken,    ///< as it is
};

struct record_load {
    stock::record_reader& products;
    order::record_reader& orders;
    stock::ledger* ledger;  ///< where it is mended
    stock::gate_loader& gate;
    std::uint32_t shard, shards;
    std::size_t rows_max;  ///< in one piece
    differing where_differing;
    /// Between pieces; an error ends the loading.
    stock::breath breathe;
};

struct loaded_record {
    std::size_t products = 0, orders = 0, parked = 0, reductions = 0;
    std::size_t mended = 0;  ///< orders that had no movement
};

std::expected<loaded_record, std::string> load_record(const record_load& uses);

}  // namespace flashsale::recovery
