#pragma once

#include <cstdint>
#include <flashsale/base/time.hpp>
#include <flashsale/base/uuid.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flashsale::bench {

// The life of held orders: what the clients were told became of them, what the databases say, and
// the sums over both. That an order is stored at all, once, is arithmetic.hpp's.

enum class order_state { pending, paid, cancelled, expired, other };

/// As databases and answers name it; one that is just being paid for is pending.
order_state state_named(std::string_view name);

constexpr bool has_ended(order_state state) {
    return state == order_state::cancelled || state == order_state::expired;
}

// --- what the clients know ---------------------------------------------------------------------

/// An order of one unit that was answered 201, and what it must have become by now.
struct lived_order {
    uuid id;
    std::int64_t user = 0;
    order_state state = order_state::pending;  ///< pending: it may have become anything
};

struct held_sale {
    std::int64_t stock = 0;  ///< of the one product
    std::int64_t price = 0;
    std::int64_t starting_balance = 0;  ///< of each user
    std::optional<std::int64_t> per_user_limit;
    std::vector<std::int64_t> users;
    std::vector<lived_order> orders;
};

// --- what the databases know -------------------------------------------------------------------

struct life_row {
    uuid id;
    std::int64_t user = 0;
    std::int64_t units = 0;
    order_state state = order_state::other;
    timestamp created_at;
    std::optional<timestamp> since;  ///< when it came into its state; null: when it was created
};

struct return_row {
    uuid id;  ///< the order's
    std::int64_t units = 0;
};

/// One that succeeded.
struct payment_row {
    uuid order;
    std::int64_t user = 0;
    std::int64_t amount = 0;
};

struct balance_row {
    std::int64_t user = 0;
    std::int64_t balance = 0;
};

struct life_record {
    std::vector<life_row> orders;
    std::vector<return_row> returns;
    std::vector<payment_row> payments;
    std::vector<balance_row> balances;
    std::int64_t returned = 0;  ///< units, by the product's own counter
};

/// Whether nothing is left to be done: `orders` are stored, each is paid for or has ended, and each
/// that has ended has returned its units.
bool at_rest(const life_record& databases, std::size_t orders);

// --- the sums ----------------------------------------------------------------------------------

struct life_sums {
    std::int64_t paid = 0;  ///< orders, as are these
    std::int64_t cancelled = 0;
    std::int64_t expired = 0;
    std::int64_t unfinished = 0;
    std::int64_t returned = 0;      ///< units that have come back
    std::int64_t held_at_once = 0;  ///< units, by the times of the orders: the most at any moment
    std::int64_t money = 0;         ///< that was paid
    // And what must be none:
    std::int64_t oversold = 0;        ///< units paid for, or held at once, beyond the stock
    std::int64_t misreported = 0;     ///< orders that are not what the client was told
    std::int64_t unreturned = 0;      ///< ended orders without a return, and returns of others
    std::int64_t mispaid = 0;         ///< orders paid for without their payment, or otherwise
    std::int64_t misbalanced = 0;     ///< users whose balance is not what their payments left
    std::int64_t limit_exceeded = 0;  ///< units that a user had at once beyond the limit
    /// The first few faults in words, with the ids needed to look for them.
    std::vector<std::string> findings;

    bool hold() const;
};

life_sums add_up(const held_sale& clients, const life_record& databases);

/// The most units that these orders had at any one moment. Times of orders are in milliseconds:
/// what ends and begins in the same one ends first.
std::int64_t most_at_once(std::span<const life_row* const> orders);

}  // namespace flashsale::bench
