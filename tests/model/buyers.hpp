#pragma once

// What buyers, the shop's service and operators do with orders that there are: pay for them from a
// balance or from outside, in time or too late, cancel them, refund them, or leave them to expire.
// All is drawn from the seed, and each asks until it has an answer, with the same key.

#include <flashsale/order/changes.hpp>

#include <deque>
#include <set>
#include <string>

#include "promises.hpp"
#include "world.hpp"

namespace flashsale::model {

class buyers {
public:
    explicit buyers(world& in) : in_(in) {}

    void open(std::int64_t users);
    bool everybody_answered() const { return unanswered_ == 0; }
    /// `window_s`: for how long it is held; 0: it was sold outright.
    void got_order(const intent& by, const uuid& id, std::uint32_t window_s);

private:
    struct wish {
        order::change_request what;
        std::int64_t user = 0, total = 0;
        bool answered = false;
        int asking = 0;
    };
    struct deposit {
        std::int64_t user = 0, amount = 0;
        std::string key;
        bool answered = false;
    };
    struct held_order {
        uuid id;
        std::int64_t user = 0, total = 0;
        micros window = 0;
    };

    void want(micros when, order::change_request what, const held_order& of);
    void pay_from_balance(micros when, const held_order& of);
    void pay_from_outside(const held_order& of);
    void cancel(micros when, const held_order& of);
    void ask(wish& who);
    void answer(wish& who, const order::order_changes::answer& what);
    void give_up(wish& who);
    void go_on(const wish& who, const order::order_changes::answer& what);
    void pay_in(micros when, std::int64_t user, std::int64_t amount);
    void ask(deposit& one);
    process& some_process();

    world& in_;
    std::deque<wish> wishes_;
    std::deque<deposit> deposits_;
    std::set<uuid> known_;
    int unanswered_ = 0, keys_ = 0;
};

}  // namespace flashsale::model
