// Money for orders: what the user database has taken, and what the order database says of it.

#include <flashsale/audit/sums.hpp>

#include <algorithm>
#include <limits>

namespace flashsale::audit {

namespace {

bool fits(const user::taken_charge& charge, const order::payment& payment) {
    return charge.order_id == payment.order_id && charge.user_id == payment.user_id &&
           charge.amount == payment.amount;
}

bool fits(const user::given_refund& entry, const order::refund& refund) {
    return entry.order_id == refund.order_id && entry.payment_id == refund.payment_id &&
           entry.user_id == refund.user_id && entry.amount == refund.amount &&
           refund.method == order::payment_method::balance;
}

void check_refunds(const life_record& read, audit_result& into) {
    constexpr const char* one_to_one = "refunds and what balances got back match one to one";
    const auto fault = [&](const char* sum, std::string found, const uuid& order,
                           std::int64_t user = 0) {
        into.faults.push_back(
            {.sum = sum, .found = std::move(found), .orders = {order}, .user_id = user});
    };
    for (const auto& [id, entry] : read.given_back) {
        const auto refund = read.refunds.find(id);
        if (refund == read.refunds.end() || !fits(entry, refund->second))
            fault(one_to_one, "refund " + id + ": there is no such refund",
                  entry.order_id.value_or(uuid{}), entry.user_id);
    }
    for (const auto& [id, refund] : read.refunds) {
        if (!is_given_back(refund) || read.given_back.contains(id)) continue;
        const auto later = read.given_later.find(id);
        if (later == read.given_later.end() || !fits(later->second, refund))
            fault(one_to_one, "refund " + id + ": the balance has not got it", refund.order_id,
                  refund.user_id);
    }
    for (const uuid& one : read.refunded_otherwise)
        fault("every payment that goes back has one refund of its amount",
              "no such refund, or no such payment", one);
    for (const order::unfinished_money& one : read.money_unfinished) {
        if (one.age < unfinished_max) continue;
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(one.age).count();
        fault("what was begun is finished",
              std::string(one.is_refund ? "a refund to a balance" : "money from outside") +
                  " is not decided for " + std::to_string(seconds) + " s",
              one.order_id);
    }
    into.owed.placing = static_cast<std::size_t>(
        std::ranges::count(read.payments, order::payment_state::placing,
                           [](const auto& one) { return one.second.state; }));
    for (const auto& [id, refund] : read.refunds) {
        if (refund.state == order::refund_state::succeeded) continue;
        ++into.owed.refunds;
        if (__builtin_add_overflow(into.owed.amount, refund.amount, &into.owed.amount))
            into.owed.amount = std::numeric_limits<std::int64_t>::max();
        if (!into.owed.since || refund.created_at < *into.owed.since)
            into.owed.since = refund.created_at;
    }
}

}  // namespace

void check_payments(const life_record& read, audit_result& into) {
    const auto fault = [&](const char* sum, std::string found, const uuid& order,
                           std::int64_t user = 0) {
        into.faults.push_back(
            {.sum = sum, .found = std::move(found), .orders = {order}, .user_id = user});
    };
    for (const std::int64_t user : read.broken_books) {
        into.faults.push_back({.sum = "each entry leads from one balance to the next",
                               .found = "an entry says another balance",
                               .user_id = user});
    }
    for (const user::taken_charge& one : read.without_entry) {
        fault("payments taken and entries match one to one",
              "payment " + one.payment_id.to_string() + " of " + std::to_string(one.amount),
              one.order_id, one.user_id);
    }
    for (const uuid& one : read.paid_otherwise)
        fault("every paid order has one payment of its total", "no such payment, or no such order",
              one);
    std::unordered_map<uuid, uuid, uuid_hash> paid_by;
    for (const auto& [id, charge] : read.taken) {
        const auto [first, is_first] = paid_by.try_emplace(charge.order_id, id);
        if (!is_first)
            fault("at most one payment of an order is taken",
                  "payments " + first->second.to_string() + " and " + id.to_string(),
                  charge.order_id, charge.user_id);
        const auto payment = read.payments.find(id);
        const bool kept = payment != read.payments.end() && fits(charge, payment->second) &&
                          payment->second.state != order::payment_state::failed;
        if (!kept)
            fault("money that was taken has paid its order", "payment " + id.to_string(),
                  charge.order_id, charge.user_id);
    }
    for (const auto& [id, payment] : read.payments) {
        if (payment.received_at && payment.state == order::payment_state::failed)
            fault("money that came in has paid, or goes back",
                  "payment " + id.to_string() + " has come in, and has failed", payment.order_id,
                  payment.user_id);
        if (!was_taken(payment)) continue;
        auto charge = read.taken.find(id);
        if (charge == read.taken.end()) {
            charge = read.taken_later.find(id);
            if (charge == read.taken_later.end()) {
                fault("what was paid for was taken", "payment " + id.to_string(), payment.order_id,
                      payment.user_id);
                continue;
            }
        }
        if (!fits(charge->second, payment))
            fault("what was paid for was taken", "payment " + id.to_string() + " differs",
                  payment.order_id, payment.user_id);
    }
    check_refunds(read, into);
}

}  // namespace flashsale::audit
