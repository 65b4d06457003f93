#include "late_event.hpp"

namespace flashsale::order {

late_outcome outcome_of(const uuid& id, const stock::decision& answer) {
    if (answer) {
        if (answer->id != id) return late_outcome::twin;
        return answer->recorded ? late_outcome::recorded : late_outcome::on_its_way;
    }
    switch (answer.error()) {
        case stock::errc::product_not_found:
        case stock::errc::sale_not_open:
        case stock::errc::sale_over:
        case stock::errc::price_changed:
        case stock::errc::total_too_high:
        case stock::errc::purchase_limit:
        case stock::errc::out_of_stock:
        case stock::errc::idempotency_key_reused:
        case stock::errc::too_many_units:
        case stock::errc::sale_ended:
        case stock::errc::product_archived:
        case stock::errc::already_granted:
        case stock::errc::window_of_sale:
        case stock::errc::window_not_ordered:
        case stock::errc::sale_not_found:
        case stock::errc::sale_full:
        case stock::errc::sale_has_products:
        case stock::errc::revision_changed:
            return late_outcome::refused;
        case stock::errc::sale_paused:
        case stock::errc::high_traffic:
        case stock::errc::overloaded:
        case stock::errc::rebuilding:
        case stock::errc::dependency_unavailable:
        case stock::errc::outcome_unknown:
            break;
    }
    return late_outcome::not_yet;
}

stock::reservation reservation_of(const stock::allocation& late) {
    stock::reservation out;
    out.what = late.what;
    out.product_id = late.product_id;
    out.user_id = late.user_id;
    out.quantity = late.quantity;
    out.idempotency_key = late.idempotency_key;
    out.id = late.order_id;
    // Its buyer has agreed to this price, and to no higher one.
    if (late.what == stock::operation::sale) out.unit_price_max = late.unit_price;
    return out;
}

}  // namespace flashsale::order
