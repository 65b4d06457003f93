#pragma once

// The port to the module's record of products.

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/stock.hpp"
#include "flashsale/stock/gate_decisions.hpp"

namespace flashsale::postgres {
class pool;
}
namespace flashsale::sqlite {
class queue;
}

namespace flashsale::stock {

struct new_product {
    std::string name;
    std::int64_t price = 0;  ///< minor units
    currency_code currency = {};
    std::uint32_t payment_window_s = 0;  ///< 0: sold outright
    std::int64_t stock = 0;
    std::optional<std::int64_t> per_user_limit;
    std::optional<timestamp> sale_starts_at;
    std::optional<timestamp> sale_ends_at;
    std::string idempotency_key;
    std::int64_t sale_id = 0;  ///< 0: none; else window and payment window are the sale's
};

struct product {
    std::int64_t id = 0;
    std::string name;
    std::int64_t price = 0;
    currency_code currency = {};         ///< of the price
    std::uint32_t payment_window_s = 0;  ///< 0: sold outright
    std::int64_t supplied = 0;
    std::int64_t stock = 0;  ///< as recorded
    std::optional<std::int64_t> per_user_limit;
    std::optional<timestamp> sale_starts_at;
    std::optional<timestamp> sale_ends_at;
    timestamp created_at;
    std::int64_t revision = 1;    ///< counts the changes of what it is sold by, its sale's too
    halt halted = halt::none;     ///< one that is deleted is not shown
    std::int64_t sale_id = 0;     ///< 0: none; it never changes
    std::int64_t sale_limit = 0;  ///< of the sale, 0: none
};

struct restocked {
    uuid movement;
    timestamp created_at;
    gate_product units;  ///< what the gate has to be told
    bool replayed = false;
};

/// Used by one thread, that of the io_context it was made for; answers there.
class store {
public:
    virtual ~store() = default;

    template <class T>
    using result = awaitable<std::expected<T, errc>>;

    struct created {
        product what;
        std::int64_t initial = 0;  ///< the stock it began with
        bool replayed = false;
    };
    /// Makes a product, its supplied and its first movement in one transaction; or, for a key that
    /// was used, finds what it made. sale_over: its sale has ended before it was made, by the clock
    /// that dates the product, which is one for all processes and read in that transaction. Of one
    /// of a sale: sale_not_found, sale_ended, sale_full.
    virtual result<created> create(new_product what) = 0;
    virtual result<product> find(std::int64_t id) = 0;
    /// Ascending by id, those above `after`.
    virtual result<std::vector<product>> list(std::int64_t after, std::int64_t limit) = 0;
    /// Adds to given, stock and the ledger in one transaction, once for each key of the product.
    virtual result<restocked> restock(std::int64_t id, std::int64_t quantity, std::string key,
                                      uuid movement) = 0;
};

/// `shards`: a product of a sale gets an id of the sale's shard.
std::unique_ptr<store> make_postgres_store(postgres::pool& database, std::uint32_t shards = 1);
std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io);

}  // namespace flashsale::stock
