#pragma once

// The port to orders that late money buys again. Each call is one transaction of the order
// database.
//
// Money that comes for a hold that has ended is `placing`: the same is asked for at the gate, by
// the ordinary way, under a key made from the payment that no client can send. So however often it
// is asked, and by whichever process, one order comes of it. That order, once it is recorded and
// while its own hold lasts, is paid for by the payment, which names it from then on, at the old
// price. If the gate refuses, or that hold has ended too, a refund is due.

#include <expected>
#include <memory>
#include <span>
#include <vector>

#include "flashsale/order/life.hpp"
#include "flashsale/order/payment.hpp"

namespace flashsale::order {

struct late_payment {
    payment by;
    order old;              ///< as it ended
    bool returned = false;  ///< its units are back; before that nothing is asked for
};

struct replacement {
    uuid payment_id;
    uuid old_id;
    uuid order_id;  ///< new
};

/// Blocking; one thread. An error as in life_store.
class replacement_store {
public:
    virtual ~replacement_store() = default;

    template <class T>
    using result = std::expected<T, life_fault>;

    /// Those of these payments that are `placing`.
    virtual result<std::vector<late_payment>> late(std::span<const uuid> payments) = 0;
    /// These orders, PENDING and their time not up, become PAID by these payments, at the price of
    /// the orders that they replace. What was recorded and has ended is left.
    virtual result<void> pay(std::span<const replacement> by) = 0;
    /// `placing` becomes refund_due, each with its refund.
    virtual result<void> give_up(std::span<const uuid> payments, std::span<const uuid> refunds) = 0;
};

std::unique_ptr<replacement_store> make_postgres_replacement_store(
    postgres::session& order_database);
std::unique_ptr<replacement_store> make_sqlite_replacement_store(sqlite::database& order_database);

}  // namespace flashsale::order
