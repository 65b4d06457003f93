#pragma once

// What the stock database says was given and taken, for the rebuild, which rebuilds a gate from
// it, and for the audit.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/uuid.hpp"
#include "flashsale/stock.hpp"
#include "flashsale/stock/gate_decisions.hpp"
#include "flashsale/stock/shard_of.hpp"

namespace flashsale::postgres {
class session;
}
namespace flashsale::sqlite {
class database;
}

namespace flashsale::stock {

/// A product and the sums of its movements, for the audit.
struct recorded_product {
    std::int64_t id = 0;
    std::int64_t supplied = 0;
    std::int64_t stock = 0;
    std::optional<std::int64_t> per_user_limit;  ///< the highest that was ever in force
    std::int64_t moved = 0;                      ///< sum of its movements
    std::int64_t moved_up = 0;                   ///< of those that gave units
    std::int64_t sold = 0;                       ///< units of its sale movements
    std::int64_t reduced = 0;                    ///< units of its reductions
    std::int64_t dropped = 0;          ///< of those sold and reduced, units of dropped events
    std::int64_t returned = 0;         ///< of those sold, units of ended orders, for sale again
    std::int64_t returned_in_all = 0;  ///< the same, as the product says
    std::int64_t sale_id = 0;          ///< 0: none
    std::optional<std::int64_t> sale_limit = {};  ///< over the sale, the highest that ever was

    bool counts_buyers() const { return per_user_limit || sale_limit; }
};

/// Blocking; one thread. An error's text is for people. What is free at a gate is `supplied` less
/// all that was taken: orders and parked events (order::record_reader), and the reductions of here.
class record_reader {
public:
    virtual ~record_reader() = default;

    /// `supplied` and `stock` as of one instant.
    struct product {
        gate_product units;
        std::int64_t stock = 0;  ///< the sum of its movements
    };
    template <class Row, class Place>
    struct page {
        std::vector<Row> rows;      ///< ascending
        std::optional<Place> next;  ///< `after` of the next page; nullopt: the last one
    };
    using product_page = page<product, std::int64_t>;
    using allocation_page = page<allocation, allocation_id>;
    struct buyer {
        std::int64_t product_id = 0;
        std::int64_t user_id = 0;
    };
    using buyer_page = page<buyer_returns, buyer>;

    /// Products of one shard (shard_of()), those above `after`, 0 at first. One statement a page;
    /// `rows_max` bounds what is read, so a page may be empty and not the last.
    virtual std::expected<product_page, std::string> products(std::uint32_t shard,
                                                              std::uint32_t shards,
                                                              std::int64_t after,
                                                              std::size_t rows_max) = 0;

    /// Allocations of such products that are no recorded order's: reductions, and what was given
    /// back (give_back() in recovery.hpp), which keeps its units at a gate that is told of them in
    /// `supplied` once more.
    virtual std::expected<allocation_page, std::string> reductions(std::uint32_t shard,
                                                                   std::uint32_t shards,
                                                                   allocation_id after,
                                                                   std::size_t rows_max) = 0;

    /// Sales of such products, but those of dropped events. Each is an order's, of the same id;
    /// user, price and key are there.
    virtual std::expected<allocation_page, std::string> sales(std::uint32_t shard,
                                                              std::uint32_t shards,
                                                              allocation_id after,
                                                              std::size_t rows_max) = 0;

    /// What buyers of such products have returned in all, of products with a limit.
    virtual std::expected<buyer_page, std::string> buyer_returns_of(std::uint32_t shard,
                                                                    std::uint32_t shards,
                                                                    buyer after,
                                                                    std::size_t rows_max) = 0;

    /// Those of the ids that have a movement, perhaps with other lines of their orders.
    virtual std::expected<std::vector<allocation_id>, std::string> moved(
        std::span<const allocation_id> ids) = 0;

    /// Those of the ids whose units have come back, perhaps with other lines of their orders.
    virtual std::expected<std::vector<allocation_id>, std::string> came_back(
        std::span<const allocation_id> ids) = 0;

    // For the audit: all as of one instant, products ascending.

    virtual std::expected<void, std::string> for_each_product(
        const std::function<void(recorded_product)>& each) = 0;
    virtual std::expected<void, std::string> for_each_allocation(
        const std::function<void(allocation)>& each) = 0;
    virtual std::expected<void, std::string> for_each_buyer_returns(
        const std::function<void(buyer_returns)>& each) = 0;
};

std::unique_ptr<record_reader> make_postgres_record_reader(postgres::session& stock_database);
std::unique_ptr<record_reader> make_sqlite_record_reader(sqlite::database& stock_database);

}  // namespace flashsale::stock
