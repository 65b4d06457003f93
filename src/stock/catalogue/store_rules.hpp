#pragma once

// What is alike in every database of products.

#include <flashsale/stock/store.hpp>

namespace flashsale::stock {

inline gate_product units_of(const product& what) {
    return {what.id,
            what.supplied,
            what.price,
            what.per_user_limit,
            what.sale_starts_at,
            what.sale_ends_at,
            what.currency,
            what.payment_window_s,
            what.revision,
            what.halted,
            what.sale_id,
            what.sale_limit};
}

/// Whether a key that was used was used for this.
inline bool is_the_same(const store::created& first, const new_product& asked) {
    const product& made = first.what;
    if (made.currency != asked.currency || first.initial != asked.stock ||
        made.sale_id != asked.sale_id)
        return false;
    if (made.revision > 1) return true;  // it has changed since
    const bool same_times = made.payment_window_s == asked.payment_window_s &&
                            made.sale_starts_at == asked.sale_starts_at &&
                            made.sale_ends_at == asked.sale_ends_at;
    return made.name == asked.name && made.price == asked.price &&
           made.per_user_limit == asked.per_user_limit && (same_times || asked.sale_id != 0);
}

}  // namespace flashsale::stock
