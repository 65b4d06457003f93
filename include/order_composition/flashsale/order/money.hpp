#pragma once

// The port to money that does not come from a balance's decision: payments from outside, and
// refunds. Each call is one transaction of the order database.
//
// Money from outside is in the record before anything is decided about it, whatever its order's
// state: no money is ever only in an answer. Then it pays its order, by compare-and-set, or a
// refund is due; what is neither waits for a change that is under way (a payment from a balance,
// the end of the hold), and is asked for again.

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flashsale/order/life.hpp"
#include "flashsale/order/payment.hpp"

namespace flashsale::order {

/// What the shop's service says of money from outside.
struct told_payment {
    uuid order_id;
    uuid payment_id;        ///< new
    std::string reference;  ///< the shop's own, one payment each
    std::int64_t amount = 0;
    bool announced = false;  ///< it may come; else it is here
};

struct refund_request {
    uuid order_id;
    uuid refund_id;  ///< new
    std::string reason;
    bool restock = true;
};

/// Blocking; one thread. Each order at most once in a call, and an error as in life_store.
class money_store {
public:
    virtual ~money_store() = default;

    template <class T>
    using result = std::expected<T, life_fault>;

    /// Keeps what was told, each reference once, and answers what there is by these references: it
    /// may be another order's. One that was announced, and is here now, is received, in whatever
    /// amount came. What is only announced is kept if its order can still be paid for, and puts off
    /// the end of the hold by `grace`, once in the order's life. Nothing of an order that is not
    /// recorded.
    virtual result<std::vector<payment>> receive(std::span<const told_payment> told,
                                                 std::chrono::seconds grace) = 0;
    /// Of these received payments: those of another amount than their order's total, and of orders
    /// that take no money, become refund_due, each with its refund; those that came too late become
    /// `placing` (replacement.hpp).
    virtual result<void> refuse_received(std::span<const uuid> payments,
                                         std::span<const uuid> refunds) = 0;
    /// PENDING whose time is not up become PAID by these, one payment each.
    virtual result<void> use_received(std::span<const uuid> payments) = 0;
    virtual result<std::vector<payment>> find(std::span<const uuid> payments) = 0;
    /// Received more than a second ago, and not decided.
    virtual result<std::vector<payment>> received_undecided(std::size_t payments_max) = 0;

    /// PAID becomes REFUNDED, its payment refund_due, with a refund. Answers those that have
    /// changed.
    virtual result<std::vector<ended_order>> refund_orders(
        std::span<const refund_request> asked) = 0;
    /// The refunds of what has paid for these orders.
    virtual result<std::vector<refund>> refunds_of(std::span<const uuid> orders) = 0;
    /// To a balance, pending for longer than a second. One that the user database does not give
    /// back is asked for once a minute.
    virtual result<std::vector<refund>> refunds_due(std::size_t refunds_max) = 0;
    /// The user database has given these back.
    virtual result<void> given_back(std::span<const uuid> refunds) = 0;
    virtual result<void> put_off(std::span<const uuid> refunds) = 0;
};

std::unique_ptr<money_store> make_postgres_money_store(postgres::session& order_database);
std::unique_ptr<money_store> make_sqlite_money_store(sqlite::database& order_database);

}  // namespace flashsale::order
