#include <flashsale/order/recovery.hpp>

namespace flashsale::order {

stock::movement movement_of(const events::event& one) {
    stock::movement out = movement_of(allocation_of(one));
    out.shard = one.shard;
    out.created_at = one.created_at;
    return out;
}

stock::movement movement_of(const stock::allocation& one) {
    stock::movement out;
    out.id = one.order_id;
    out.shard = one.order_id.shard();
    out.product_id = one.product_id;
    out.delta = -one.quantity;
    out.what = one.what;
    out.generation = one.generation;
    out.seq = one.seq;
    out.idempotency_key = one.idempotency_key;
    out.created_at = one.order_id.time();
    return out;
}

}  // namespace flashsale::order
