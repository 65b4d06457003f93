#include <flashsale/audit/sums.hpp>

namespace flashsale::audit {

namespace {

bool is_below_zero(const user::recorded_balance& one) {
    return one.balance && *one.balance < 0;
}
bool differs(const user::recorded_balance& one) {
    return one.balance && *one.balance != one.entries;
}

}  // namespace

void balance_sums::add(const user::recorded_balance& one) {
    if (one.balance) ++users_;
    if (!one.balance || is_below_zero(one) || differs(one)) wrong_.push_back(one);
}

void check_balances(const balance_sums& read, audit_result& into) {
    into.users = read.users();
    for (const user::recorded_balance& one : read.wrong()) {
        const auto fault = [&](const char* sum, std::string found) {
            into.faults.push_back({.sum = sum, .found = std::move(found), .user_id = one.user_id});
        };
        const std::string entries = "entries " + std::to_string(one.entries);
        if (!one.balance) fault("every entry has a user", "no such user, " + entries);
        if (differs(one))
            fault("balance = sum of entries",
                  "balance " + std::to_string(*one.balance) + ", " + entries);
        if (is_below_zero(one)) fault("balance >= 0", "balance " + std::to_string(*one.balance));
    }
}

}  // namespace flashsale::audit
