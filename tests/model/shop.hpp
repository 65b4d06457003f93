#pragma once

// Clients and the merchant: what they want is drawn from the seed, and they ask until they have an
// answer, with the same key, at whichever process.

#include <flashsale/stock.hpp>

#include <deque>

#include "databases.hpp"
#include "promises.hpp"
#include "world.hpp"

namespace flashsale::model {

class shop {
public:
    explicit shop(world& in) : in_(in) {}

    void open();
    /// Every request has an answer.
    bool everybody_answered() const { return unanswered_ == 0; }
    void create_product(const product_row& row);

private:
    struct customer {
        intent wants;
        bool answered = false;
        int asking = 0;
    };

    void ask(customer& who);
    void answer(customer& who, const std::expected<stock::accepted, stock::refusal>& what);
    void ask_again(customer& who);
    void look_up(uuid id, int times);
    void restock(std::int64_t id, std::int64_t quantity, std::string key);
    int some_process();

    world& in_;
    std::deque<customer> customers_;
    int unanswered_ = 0;
};

}  // namespace flashsale::model
