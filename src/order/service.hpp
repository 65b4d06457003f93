#pragma once

// What can be done with orders, whatever the protocol: HTTP today.

#include <flashsale/order.hpp>
#include <flashsale/order/changes.hpp>
#include <flashsale/order/store.hpp>
#include <flashsale/stock.hpp>
#include <flashsale/stock/gate_outbox.hpp>
#include <flashsale/stock/gate_view.hpp>
#include <flashsale/user.hpp>

#include <expected>
#include <variant>
#include <vector>

namespace flashsale::order {

enum class errc { user_not_found, order_not_found, overloaded, dependency_unavailable };

/// Why there is no order: this module's reason, or the stock module's, as it said it.
using failure = std::variant<errc, stock::refusal>;

inline errc errc_of(user::errc code) {
    return code == user::errc::overloaded ? errc::overloaded : errc::dependency_unavailable;
}

inline errc errc_of(store_errc code) {
    return code == store_errc::overloaded ? errc::overloaded : errc::dependency_unavailable;
}

struct place_request {
    std::int64_t user_id = 0;
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    std::string idempotency_key;
    std::int64_t unit_price_max = stock::any_price;
};

struct placed {
    order what;
    bool replayed = false;
};

/// An order being placed: one allocation for all of its way, which hands on the pointer alone.
class placing {
public:
    virtual ~placing() = default;

    /// Called once.
    virtual void finish(std::expected<placed, failure> outcome) = 0;

    place_request request;
};

/// Why an order was not changed: there is none that could be, or its state does not allow it.
using change_refusal = std::variant<failure, change_failure>;

/// One per worker, on its thread.
class service {
public:
    service(asio::io_context& io, store& record, user::directory& users, stock::gate_outbox& outbox,
            stock::gate_levels& levels, stock::reserver& reserves, order_changes& changes)
        : io_(io),
          store_(record),
          users_(users),
          outbox_(outbox),
          levels_(levels),
          reserver_(reserves),
          changes_(changes) {}

    void place(std::unique_ptr<placing> one);

    /// `request` names the request, for the log.
    awaitable<std::expected<order, failure>> find(uuid id, std::string request);

    /// `request` as above.
    awaitable<std::expected<changed, change_refusal>> change(change_request what,
                                                             std::string request);

private:
    void reserve(std::unique_ptr<placing> one);
    void finish_replayed(std::unique_ptr<placing> one, order as_accepted);
    awaitable<order_changes::answer> ask(change_request what);
    awaitable<std::expected<std::optional<order>, failure>> look_up(uuid id,
                                                                    const std::string& request);

    asio::io_context& io_;
    store& store_;
    user::directory& users_;
    stock::gate_outbox& outbox_;
    stock::gate_levels& levels_;
    stock::reserver& reserver_;
    order_changes& changes_;
};

}  // namespace flashsale::order
