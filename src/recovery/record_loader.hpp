#pragma once

// Loads the record of one shard into a gate that is being rebuilt, in pieces, and checks that what
// it loaded is what the stock database says. Blocking.

#include <expected>
#include <string>
#include <unordered_set>

#include <flashsale/order/record.hpp>
#include <flashsale/stock.hpp>
#include <flashsale/stock/gate_loader.hpp>
#include <flashsale/stock/record.hpp>

#include "rebuild_plan.hpp"

namespace flashsale::recovery {

class record_loader {
public:
    struct dependencies {
        stock::record_reader& products;
        stock::ledger& ledger;
        order::record_reader& orders;
        stock::gate_loader& gate;
        std::uint32_t shard, shards;
        std::size_t rows_max;  ///< in one piece
        /// Between pieces; an error ends the loading.
        stock::breath breathe;
    };
    struct report {
        std::size_t products = 0, orders = 0, parked = 0, reductions = 0;
        std::size_t mended = 0;  ///< orders that had no movement
    };

    explicit record_loader(dependencies uses) : uses_(std::move(uses)) {}

    std::expected<report, std::string> run();

private:
    using done = std::expected<void, std::string>;
    using unmoved = std::vector<const stock::allocation*>;

    done read_products();
    done load_orders();
    done load_parked();
    done load_reductions();
    done load_products();
    done load_strays();
    done mend(const std::vector<stock::allocation>& orders);
    done note_unmoved(const std::vector<stock::allocation>& parked);
    std::expected<unmoved, std::string> without_movement(
        const std::vector<stock::allocation>& taken);
    /// Those of products that are known.
    done load(std::vector<stock::allocation> taken);

    dependencies uses_;
    std::unordered_map<std::int64_t, bool> limited_;  // of every product: whether buyers count
    /// Loaded as what they were to become; a person who drops one makes a reduction of its id.
    std::unordered_set<stock::allocation_id, stock::allocation_id_hash> loaded_parked_;
    rebuild_arithmetic arithmetic_;
    std::vector<stock::record_reader::product> differing_;
    report report_;
};

}  // namespace flashsale::recovery
