#pragma once

// The port to what the record says of the orders of a sale, and to the job that cancels them all.
// As the HTTP workers use it; what carries the job out is sale_cancellations.hpp.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/order.hpp"
#include "flashsale/order/store.hpp"

namespace flashsale::order {

/// Orders of one product, in one state, at one price.
struct order_group {
    std::int64_t product_id = 0;
    order_status status = order_status::success;
    std::int64_t unit_price = 0;
    currency_code currency = {};  ///< of unit_price
    std::int64_t orders = 0;
    std::int64_t units = 0;
    timestamp first, last;  ///< when the first and the last of them were accepted
};

/// How far the cancelling of a sale has come. Orders are counted once the job has passed them.
struct sale_cancellation {
    std::int64_t sale_id = 0;
    std::string reason = {};
    bool restock = false;
    timestamp created_at;
    std::optional<timestamp> done_at;
    std::int64_t cancelled = 0;  ///< by whatever cause
    std::int64_t refunded = 0;
    std::int64_t expired = 0;
};

/// Money of a sale's orders that is to go back and has not.
struct owed_refunds {
    currency_code currency = {};
    std::int64_t refunds = 0;
    std::int64_t amount = 0;  ///< minor units
};

/// Used by one thread, that of the io_context it was made for; answers there.
class sale_record {
public:
    virtual ~sale_record() = default;

    template <class T>
    using result = awaitable<std::expected<T, store_errc>>;

    virtual result<std::vector<order_group>> groups(std::vector<std::int64_t> products) = 0;
    virtual result<std::vector<owed_refunds>> owed(std::vector<std::int64_t> products) = 0;

    /// Begins the job, once for each sale, with at least one product. False: it was begun before.
    virtual result<bool> begin_cancellation(std::int64_t sale_id,
                                            std::vector<std::int64_t> products, std::string reason,
                                            bool restock) = 0;
    /// nullopt: it never began.
    virtual result<std::optional<sale_cancellation>> cancellation(std::int64_t sale_id) = 0;
};

std::unique_ptr<sale_record> make_postgres_sale_record(postgres::pool& database);
std::unique_ptr<sale_record> make_sqlite_sale_record(sqlite::queue& database, asio::io_context& io);

}  // namespace flashsale::order
