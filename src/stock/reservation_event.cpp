#include "reservation_event.hpp"

#include <flashsale/events/event.hpp>

namespace flashsale::stock {

namespace {

template <class Event>
std::string written(Event out, const reservation& asked, const uuid& id, const grant_terms& terms) {
    out.id = id;
    out.shard = id.shard();
    out.created_at = id.time();
    out.epoch = terms.epoch;
    out.product_id = asked.product_id;
    out.quantity = asked.quantity;
    out.idempotency_key = asked.idempotency_key;
    out.unit_price = terms.unit_price;
    out.currency = terms.currency;
    out.payment_window_s = terms.payment_window_s;
    out.seq = terms.seq;
    std::string text;
    text.reserve(160);
    events::append_granted(text, out);
    return text;
}

}  // namespace

std::string event_of(const reservation& asked, const uuid& id, const grant_terms& terms) {
    if (asked.what == operation::reduction) {
        grant_terms at_once = terms;
        at_once.payment_window_s = 0;  // no payment is waited for
        return written(events::stock_reduced_view{}, asked, id, at_once);
    }
    events::order_accepted_view order;
    order.user_id = asked.user_id;
    return written(order, asked, id, terms);
}

}  // namespace flashsale::stock
