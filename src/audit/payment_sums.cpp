// Money for orders: what the user database has taken, and what the order database says of it.

#include <flashsale/audit/sums.hpp>

namespace flashsale::audit {

namespace {

bool fits(const user::taken_charge& charge, const order::payment& payment) {
    return charge.order_id == payment.order_id && charge.user_id == payment.user_id &&
           charge.amount == payment.amount;
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
        if (payment.state != order::payment_state::succeeded) continue;
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
}

}  // namespace flashsale::audit
