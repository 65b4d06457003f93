#pragma once

// The port to the jobs that cancel sales, for the clerk that carries them out.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/order/life.hpp"

namespace flashsale::order {

/// A job that is not done, and how far it has come with each product.
struct running_cancellation {
    struct product {
        std::int64_t id = 0;
        std::int64_t after = 0;  ///< the place of the last order that it is done with
    };
    std::int64_t sale_id = 0;
    std::string reason = {};
    bool restock = false;
    std::vector<product> products;
};

struct order_at {
    order what;
    std::int64_t place = 0;  ///< in the order of recording
};

/// What the job has come past.
struct cancellation_step {
    std::int64_t sale_id = 0;
    std::int64_t product_id = 0;
    std::int64_t from = 0, to = 0;                          ///< places
    std::int64_t cancelled = 0, refunded = 0, expired = 0;  ///< orders between them
};

/// Blocking; one thread. Several processes may work on one job.
class sale_cancellations {
public:
    virtual ~sale_cancellations() = default;

    template <class T>
    using result = std::expected<T, life_fault>;

    /// The oldest.
    virtual result<std::optional<running_cancellation>> next() = 0;
    /// As they were recorded, those behind `after`.
    virtual result<std::vector<order_at>> orders_of(std::int64_t product_id, std::int64_t after,
                                                    std::size_t orders_max) = 0;
    /// Once: where another process has come further already, nothing changes.
    virtual result<void> pass(const cancellation_step& step) = 0;
    virtual result<void> finish(std::int64_t sale_id) = 0;
};

std::unique_ptr<sale_cancellations> make_postgres_sale_cancellations(
    postgres::session& order_database);
std::unique_ptr<sale_cancellations> make_sqlite_sale_cancellations(
    sqlite::database& order_database);

}  // namespace flashsale::order
