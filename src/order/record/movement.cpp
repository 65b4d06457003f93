#include <flashsale/order/recovery.hpp>

namespace flashsale::order {

namespace {

stock::movement moved_by(const events::event_base& one, stock::allocation units) {
    stock::movement out = movement_of(std::move(units));
    out.shard = one.shard;
    out.created_at = one.created_at;
    return out;
}

}  // namespace

stock::movement movement_of(const events::order_accepted& one) {
    return moved_by(one, allocation_of(one));
}

stock::movement movement_of(const events::stock_reduced& one) {
    return moved_by(one, allocation_of(one));
}

std::optional<stock::movement> movement_of(const events::event& one) {
    auto units = allocation_of(one);
    if (!units) return std::nullopt;
    return moved_by(events::base_of(one), std::move(*units));
}

stock::movement movement_of(stock::allocation one) {
    stock::movement out;
    out.id = one.order_id;
    out.line = one.line;
    out.shard = one.order_id.shard();
    out.product_id = one.product_id;
    out.delta = -one.quantity;
    out.what = one.what;
    out.epoch = one.epoch;
    out.seq = one.seq;
    out.idempotency_key = std::move(one.idempotency_key);
    out.created_at = one.order_id.time();
    return out;
}

}  // namespace flashsale::order
