#pragma once

// The port to what a gate knows of its products and of itself. Nothing is decided by it.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/stock/refusal.hpp"

namespace flashsale::stock {

/// What proves that a gate's numbers and the record's are the same: for the audit and the
/// composition.
class gate_levels {
public:
    virtual ~gate_levels() = default;

    /// Whether an order now has a chance, and why not, for people.
    virtual std::expected<void, std::string> check() const = 0;

    struct levels {
        std::uint64_t epoch = 0;
        std::uint64_t seq = 0;
        uuid token;  ///< under which the gate's events are published; uuid{} where one is for ever
        struct product {
            std::int64_t free = 0;
            std::int64_t supplied = 0;
            std::int64_t revision = 0;  ///< of its terms
        };
        std::vector<std::optional<product>> products;  ///< as asked for
    };

    /// Free and supplied of products of one shard, and the seq at which that was so, in one atomic
    /// step.
    virtual void read_levels(std::uint32_t shard, std::vector<std::int64_t> product_ids,
                             callback<std::expected<levels, errc>> done) = 0;

    struct product_page {
        std::vector<std::int64_t> ids;
        std::string next_cursor;  ///< empty: this was the last page
    };

    /// Every product that the gate of this epoch has from the first page to the last is seen,
    /// perhaps twice; a call looks at a bounded number of keys, so a page may be empty and not the
    /// last. Lists none where the gate has its products from the record, and dies with the process.
    virtual void list_products(std::uint32_t shard, std::uint64_t epoch, std::string cursor,
                               callback<std::expected<product_page, errc>> done) = 0;
};

/// Used by one thread, that of the io_context it was made for; calls back there, exactly once.
class gate_view : public gate_levels {
public:
    /// Units free now; nullopt where the gate does not know the product.
    virtual void available(
        std::vector<std::int64_t> product_ids,
        callback<std::expected<std::vector<std::optional<std::int64_t>>, errc>> done) = 0;
};

}  // namespace flashsale::stock
