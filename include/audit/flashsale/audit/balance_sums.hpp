#pragma once

// What was read of balances; no I/O. There may be millions: of those that hold their number is
// kept.

#include <flashsale/user/record.hpp>

#include <cstddef>
#include <vector>

namespace flashsale::audit {

class balance_sums {
public:
    void add(const user::recorded_balance& one);

    std::size_t users() const { return users_; }
    /// Ascending by user, as they were added.
    const std::vector<user::recorded_balance>& wrong() const { return wrong_; }

private:
    std::size_t users_ = 0;
    std::vector<user::recorded_balance> wrong_;
};

}  // namespace flashsale::audit
