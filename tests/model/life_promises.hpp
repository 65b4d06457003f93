#pragma once

// What was promised of holds and of money (P9 and P10), and whether it was kept.

#include <flashsale/order/changes.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "world.hpp"

namespace flashsale::model {

class life_promises {
public:
    explicit life_promises(world& in) : in_(in) {}

    // --- what was said, and answered ---
    /// Money from outside has been told of, at a process that was there.
    void told(const std::string& reference) { told_.insert(reference); }
    void answered(const order::change_request& what, const order::order_changes::answer& how);
    void deposited(std::int64_t user, const std::string& key, std::int64_t amount);

    /// What holds at any moment; often.
    void look();
    /// At rest: what is broken, one line each. Empty: nothing.
    std::string broken() const;

private:
    void look_for_holds();
    void look_at_units();
    void look_at_gate(const std::string& keys) const;
    /// What the keys of the newest gate begin with, if all is well.
    std::optional<std::string> keys_of_gate() const;

    world& in_;
    struct said {
        order::change_request what;
        order::order_changes::answer how;
    };
    struct in_balance {
        std::int64_t user, amount;
        std::string key;
    };
    std::vector<said> answers_;
    std::vector<in_balance> deposits_;
    std::set<std::string> told_;
    std::map<uuid, micros> seen_first_;
    micros ill_until_ = 0;
    bool was_well_ = false;
    std::size_t changes_seen_ = 0;
    std::map<uuid, order::order_status> states_;  // by the changes seen
};

}  // namespace flashsale::model
