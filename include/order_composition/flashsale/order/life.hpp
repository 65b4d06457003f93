#pragma once

// The port to what changes orders after they were recorded, and to the money for them. Each call is
// one transaction of the order database, and each change of a state is a compare-and-set on the
// order's head (line 0) with its line in order_changes: of several processes that want to change
// one order, one does, and the others read what is there.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/order.hpp"
#include "flashsale/order/payment.hpp"
#include "flashsale/stock/returns.hpp"

namespace flashsale::postgres {
class session;
}
namespace flashsale::sqlite {
class database;
}

namespace flashsale::order {

/// A wish to pay for an order from its buyer's balance.
struct payment_request {
    uuid order_id;
    uuid payment_id;  ///< new
    std::string idempotency_key;
};

struct cancel_request {
    uuid order_id;
    std::string reason;   ///< may be empty
    bool restock = true;  ///< false: the units are not offered again
};

/// An order that has ended, and the units that are to go back.
struct ended_order {
    order what;
    stock::ended_line units;
};

/// An ended order whose units the stock database and a gate know of.
struct returned_order {
    uuid id;
    std::uint64_t epoch = 0;  ///< of the gate, as it was or after that
};

/// One line of an order's history.
struct order_change {
    order_status from = order_status::success;
    order_status to = order_status::success;
    std::string reason;
    timestamp changed_at;
};

struct life_fault {
    bool twin = false;    ///< another process did the same at the same time; nothing was done
    std::string message;  ///< for people
};

/// Blocking; one thread. Each order at most once in a call. An error means that nothing, or an
/// unknown part, was done, and that the same call has to be made again.
class life_store {
public:
    virtual ~life_store() = default;

    template <class T>
    using result = std::expected<T, life_fault>;

    /// As they stand; what is not there is not recorded.
    virtual result<std::vector<order>> find(std::span<const uuid> ids) = 0;
    /// Those that there are: of these orders, under these keys.
    virtual result<std::vector<payment>> find_payments(std::span<const payment_request> asked) = 0;

    /// Those that have paid for one of these orders, refunded ones too.
    virtual result<std::vector<payment>> find_succeeded(std::span<const uuid> orders) = 0;

    /// SUCCESS and PENDING become CANCELLED. Answers those that have changed.
    virtual result<std::vector<ended_order>> cancel(std::span<const cancel_request> asked) = 0;
    /// PENDING whose time is up by the database's clock, but not before `from`, become EXPIRED, the
    /// oldest first.
    virtual result<std::vector<ended_order>> expire(std::size_t orders_max,
                                                    timestamp from = {}) = 0;

    /// PENDING whose time is not up become PAYING, each with its payment, `started`. Answers the
    /// payments. A twin: another process had a payment under one of these keys at the same time.
    /// Only of orders in the currency of balances, which an order without one is in.
    virtual result<std::vector<payment>> start_payments(std::span<const payment_request> asked,
                                                        currency_code of_balances = {}) = 0;
    /// PAYING by these payments become PAID, and the payments succeeded.
    virtual result<void> finish_taken(std::span<const payment> taken) = 0;
    /// PAYING by these become PENDING again, and the payments failed.
    virtual result<void> finish_declined(std::span<const payment> declined) = 0;
    /// Payments of orders that have been PAYING for longer than a second: the process that began
    /// them may be gone.
    virtual result<std::vector<payment>> unfinished_payments(std::size_t payments_max) = 0;

    /// Ended for longer than a second, and their units not known to be back.
    virtual result<std::vector<ended_order>> returns_due(std::size_t orders_max) = 0;
    /// They are due no more. But one stays due if there is a newer gate of its shard, somewhere
    /// else: that may have been loaded before its units were back. False: there are such ones.
    virtual result<bool> returned(std::span<const returned_order> orders) = 0;
    /// It refuses them: they are due again in a minute, behind all others.
    virtual result<void> put_off(std::span<const uuid> orders) = 0;
};

/// Not `fenced`: where the gate is the database, which is never rebuilt.
std::unique_ptr<life_store> make_postgres_life_store(postgres::session& order_database,
                                                     bool fenced = true);
std::unique_ptr<life_store> make_sqlite_life_store(sqlite::database& order_database);

}  // namespace flashsale::order
