#include <flashsale/order/recovery.hpp>

namespace flashsale::order {

stock::movement movement_of(const events::event& one) {
    stock::movement out;
    out.id = one.id;
    out.shard = one.shard;
    out.product_id = one.product_id;
    out.delta = -one.quantity;
    out.what = one.what == events::event::kind::order_accepted ? stock::operation::sale
                                                               : stock::operation::reduction;
    out.generation = one.generation;
    out.seq = one.seq;
    out.idempotency_key = one.idempotency_key;
    out.created_at = one.created_at;
    return out;
}

}  // namespace flashsale::order
