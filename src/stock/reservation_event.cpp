#include "reservation_event.hpp"

#include <flashsale/events/event.hpp>

namespace flashsale::stock {

void append_event_of(std::string& out, const reservation& asked) {
    using kind = events::event::kind;
    events::append_open_event(
        out, {asked.what == operation::sale ? kind::order_accepted : kind::stock_reduced, asked.id,
              asked.id.shard(), asked.user_id, asked.product_id, asked.quantity,
              asked.idempotency_key, asked.id.time()});
}

std::string event_of(const reservation& asked) {
    std::string out;
    out.reserve(160);
    append_event_of(out, asked);
    return out;
}

}  // namespace flashsale::stock
