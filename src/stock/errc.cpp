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
