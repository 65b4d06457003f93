#pragma once

#include <cstdint>
#include <flashsale/base/uuid.hpp>
#include <optional>
#include <string>
#include <vector>

namespace flashsale::bench {

// --- what the clients know ---------------------------------------------------------------------

struct sold_product {
    std::int64_t id = 0;
    std::int64_t supplied = 0;  ///< units that the run gave it
    std::optional<std::int64_t> per_user_limit;
};

/// What was asked for, and so what must be recorded if it was accepted.
struct wanted_order {
    std::int64_t user = 0;
    std::int64_t product = 0;
    std::int64_t quantity = 0;
    std::string key;
};

struct accepted_order {
    uuid id;
    wanted_order wanted;
    bool echoed = true;  ///< the answer named this user, product and quantity
};

struct sale {
    std::vector<sold_product> products;
    std::vector<accepted_order> accepted;
    std::vector<wanted_order> unsure;  ///< may be stored: some try of them had no clear answer
};

// --- what the databases know -------------------------------------------------------------------

struct order_row {
    uuid id;
    std::int64_t user = 0;
    std::int64_t product = 0;
    std::int64_t quantity = 0;
    std::string key;
};

enum class movement_kind { initial, restock, sale, reduction, other };

struct movement_row {
    uuid id;  ///< of a sale: the order's
    std::int64_t product = 0;
    std::int64_t delta = 0;
    movement_kind kind = movement_kind::other;
};

struct product_row {
    std::int64_t id = 0;
    std::int64_t supplied = 0;
    std::int64_t stock = 0;
};

/// All rows of a sale's products. `parked` counts the events set aside since the run began.
struct record {
    std::vector<order_row> orders;
    std::vector<movement_row> movements;
    std::vector<product_row> products;
    std::int64_t parked = 0;
};

// --- the sums ----------------------------------------------------------------------------------

struct sums {
    std::int64_t stored = 0;          ///< order rows
    std::int64_t oversold = 0;        ///< units ordered, or moved, beyond the given
    std::int64_t limit_exceeded = 0;  ///< units beyond what a user may have
    std::int64_t lost = 0;        ///< accepted, and no row or movement says so, or says otherwise
    std::int64_t duplicated = 0;  ///< orders beyond one for one key, keys beyond one for one id
    std::int64_t phantom = 0;     ///< orders that no accepted and no unsure request explains
    std::int64_t stray_movements = 0;  ///< sale movements beyond one for one order
    std::int64_t unbalanced = 0;       ///< products whose stock is not what its movements add up to
    std::int64_t parked = 0;
    /// The first few faults in words, with the ids needed to look for them.
    std::vector<std::string> findings;

    bool hold() const;
};

/// Compares both sides. Nothing here comes from the process under test's own counters.
sums add_up(const sale& clients, const record& databases);

}  // namespace flashsale::bench
