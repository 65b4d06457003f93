#pragma once

#include <chrono>
#include <cstdint>
#include <flashsale/base/uuid.hpp>
#include <memory>
#include <string>
#include <vector>

namespace flashsale::test {

/// What a fake_shop does wrong. Each number is a number of orders; 0 is honest.
struct lies {
    std::size_t oversell = 0;       ///< accepts and stores so many beyond the stock
    std::size_t lose = 0;           ///< answers 201 and stores nothing
    std::size_t lose_movement = 0;  ///< stores the order, not the movement
    std::size_t duplicate = 0;      ///< stores a second order for the same key
    std::size_t invent = 0;         ///< refuses, and stores the order all the same
    std::size_t alter = 0;          ///< stores another quantity than it accepted
    bool forget_limit = false;      ///< sells any number to one user
    std::size_t hang_up_every = 0;  ///< stores each n-th order, then closes without an answer
    std::size_t doubt_every = 0;    ///< stores each n-th order, then answers 503 outcome_unknown
    std::size_t late_every = 0;     ///< answers each n-th order late, by
    std::chrono::milliseconds late{100};
};

/// The HTTP contract of users, products and orders, in memory, on a thread of its own: what a
/// harness is tested against.
class fake_shop {
public:
    explicit fake_shop(const lies& told = {});
    ~fake_shop();

    std::uint16_t port() const;

    struct order {
        uuid id;
        std::int64_t user = 0;
        std::int64_t product = 0;
        std::int64_t quantity = 0;
        std::string key;
    };
    struct movement {
        uuid id;
        std::int64_t product = 0;
        std::int64_t delta = 0;
        bool sale = false;  ///< else the initial stock
    };
    struct product {
        std::int64_t id = 0;
        std::int64_t supplied = 0;
        std::int64_t stock = 0;
        std::int64_t limit = 0;  ///< 0: none
    };

    // What is "in the databases". Any thread.
    std::vector<order> orders() const;
    std::vector<movement> movements() const;
    std::vector<product> products() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace flashsale::test
