#pragma once

// What three databases say of ended orders and of money, read while a sale runs. They are never
// read as of one instant, but each change is made in one order: a decision about money comes after
// its payment, and before the payment succeeds; a refund is in its balance before it says so; units
// come back after their order has ended, and before it says that nothing is to be returned. So what
// is read in the opposite order fits.

#include <chrono>
#include <unordered_map>
#include <vector>

#include <flashsale/order/record.hpp>
#include <flashsale/stock/record.hpp>
#include <flashsale/user/record.hpp>

namespace flashsale::audit {

/// After that, what was begun should be finished.
inline constexpr std::chrono::seconds unfinished_max{60};

struct life_record {
    std::unordered_map<uuid, user::taken_charge, uuid_hash> taken;  ///< read before the payments
    std::unordered_map<uuid, user::taken_charge, uuid_hash> taken_later;  ///< of those not in it
    std::vector<user::taken_charge> without_entry;
    std::vector<std::int64_t> broken_books;  ///< users
    std::unordered_map<uuid, order::payment, uuid_hash> payments;
    std::vector<uuid> paid_otherwise;
    std::unordered_map<std::string, user::given_refund> given_back;   ///< read before the refunds
    std::unordered_map<std::string, user::given_refund> given_later;  ///< of those not in it
    std::unordered_map<std::string, order::refund> refunds;           ///< by their ids, as texts
    std::vector<uuid> refunded_otherwise;
    std::vector<order::unfinished_money> money_unfinished;
    std::vector<order::unfinished_order> unfinished;  ///< read after the orders
    /// Of ended orders that had none in the ledger: those that have a return by now.
    std::vector<stock::allocation_id> returned_later;
    std::vector<stock::buyer_returns> buyers;
};

/// From a balance, and said to have been taken.
inline bool was_taken(const order::payment& what) {
    using enum order::payment_state;
    return what.method == order::payment_method::balance && what.state != started &&
           what.state != failed;
}
/// To a balance, and said to be there. Nothing is written there of a refund of nothing.
inline bool is_given_back(const order::refund& what) {
    return what.method == order::payment_method::balance && what.amount > 0 &&
           what.state == order::refund_state::succeeded;
}

}  // namespace flashsale::audit
