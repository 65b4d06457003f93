#pragma once

// The port to money that belongs to buyers again, as the HTTP workers read and confirm it. How it
// comes to be owed is money.hpp.

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/order/payment.hpp"
#include "flashsale/order/store.hpp"

namespace flashsale::order {

struct owed_payment {
    payment what;
    refund back;
};
struct confirmation {
    std::optional<refund> what = {};
    bool confirmed_now = false;
};

/// Used by one thread, that of the io_context it was made for; answers there.
class owed_payments {
public:
    virtual ~owed_payments() = default;

    /// Payments that are refund_due, each with its refund, ascending by id, those behind `after`.
    virtual awaitable<std::expected<std::vector<owed_payment>, store_errc>> list(
        uuid after, std::int64_t limit) = 0;
    /// A pending refund to the outside has gone back, under this reference. Answers the refund as
    /// it stands after that, if there is one.
    virtual awaitable<std::expected<confirmation, store_errc>> confirm(uuid refund_id,
                                                                       std::string reference) = 0;
};

std::unique_ptr<owed_payments> make_postgres_owed_payments(postgres::pool& database);
std::unique_ptr<owed_payments> make_sqlite_owed_payments(sqlite::queue& database,
                                                         asio::io_context& io);

}  // namespace flashsale::order
