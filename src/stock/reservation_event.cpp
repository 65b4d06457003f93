#include "reservation_event.hpp"

#include <flashsale/events/event.hpp>

namespace flashsale::stock {

std::string event_of(const reservation& asked, const uuid& id) {
    using kind = events::event::kind;
    std::string out;
    out.reserve(160);
    events::append_open_event(
        out,
        {asked.what == operation::sale ? kind::order_accepted : kind::stock_reduced, id, id.shard(),
         asked.user_id, asked.product_id, asked.quantity, asked.idempotency_key, id.time()});
    return out;
}

}  // namespace flashsale::stock
