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
            what.payment_window_s};
}

/// Whether a key that was used was used for this.
inline bool is_the_same(const store::created& first, const new_product& asked) {
    const product& made = first.what;
    return made.name == asked.name && made.price == asked.price &&
           made.currency == asked.currency && made.payment_window_s == asked.payment_window_s &&
           first.initial == asked.stock && made.per_user_limit == asked.per_user_limit &&
           made.sale_starts_at == asked.sale_starts_at && made.sale_ends_at == asked.sale_ends_at;
}

}  // namespace flashsale::stock
