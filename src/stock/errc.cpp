#include <flashsale/stock/refusal.hpp>

namespace flashsale::stock {

std::string_view name_of(errc code) {
    switch (code) {
        case errc::product_not_found:
            return "product_not_found";
        case errc::sale_not_open:
            return "sale_not_open";
        case errc::sale_over:
            return "sale_over";
        case errc::price_changed:
            return "price_changed";
        case errc::total_too_high:
            return "total_too_high";
        case errc::purchase_limit:
            return "purchase_limit";
        case errc::out_of_stock:
            return "out_of_stock";
        case errc::idempotency_key_reused:
            return "idempotency_key_reused";
        case errc::too_many_units:
            return "too_many_units";
        case errc::sale_paused:
            return "sale_paused";
        case errc::sale_ended:
            return "sale_ended";
        case errc::product_archived:
            return "product_archived";
        case errc::already_granted:
            return "already_granted";
        case errc::window_of_sale:
            return "window_of_sale";
        case errc::window_not_ordered:
            return "window_not_ordered";
        case errc::sale_not_found:
            return "sale_not_found";
        case errc::sale_full:
            return "sale_full";
        case errc::sale_has_products:
            return "sale_has_products";
        case errc::revision_changed:
            return "revision_changed";
        case errc::high_traffic:
            return "high_traffic";
        case errc::overloaded:
            return "overloaded";
        case errc::rebuilding:
            return "rebuilding";
        case errc::dependency_unavailable:
            return "dependency_unavailable";
        case errc::outcome_unknown:
            return "outcome_unknown";
    }
    std::unreachable();
}

}  // namespace flashsale::stock
