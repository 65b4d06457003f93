#pragma once

// What can be done with orders, whoever asks: HTTP today.

#include <flashsale/order.hpp>
#include <flashsale/order/store.hpp>
#include <flashsale/stock.hpp>
#include <flashsale/user.hpp>

#include <expected>
#include <variant>
#include <vector>

namespace flashsale::order {

enum class errc { user_not_found, order_not_found, overloaded, dependency_unavailable };

/// Why there is no order: this module's reason, or the stock module's, as it said it.
using failure = std::variant<errc, stock::errc>;

struct place_request {
    std::int64_t user_id = 0;
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    std::string idempotency_key;
};

struct placed {
    order what;
    bool replayed = false;
};

/// One per worker, on its thread.
class service {
public:
    service(store& record, user::directory& users, stock::gate& units,
            stock::reserver& reserves)
        : store_(record), users_(users), gate_(units), reserver_(reserves) {}

    /// The order path: callbacks, because a coroutine frame per order would show.
    void place(place_request request, callback<std::expected<placed, failure>> done);

    awaitable<std::expected<order, failure>> find(uuid id);
    awaitable<std::expected<std::vector<order>, failure>> list(std::int64_t user_id,
                                                               std::optional<uuid> before,
                                                               std::int64_t limit);

private:
    store& store_;
    user::directory& users_;
    stock::gate& gate_;
    stock::reserver& reserver_;
};

}  // namespace flashsale::order
