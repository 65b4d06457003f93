// The limit over a sale: what a buyer has of all of its products together.

#include <flashsale/audit/sums.hpp>

#include <map>

namespace flashsale::audit {

void check_sale_limits(const audit_record& record, audit_result& into) {
    struct bought_units {
        std::int64_t units = 0;
        std::int64_t product_id = 0;  // one of them
        std::vector<uuid> orders;
    };
    std::map<std::pair<std::int64_t, std::int64_t>, bought_units> bought;  // of sale and user
    std::map<std::int64_t, std::int64_t> limits;                           // of sale
    for (const auto& [id, product] : record.products) {
        if (product.sale_limit) limits.emplace(product.sale_id, *product.sale_limit);
    }
    if (limits.empty()) return;
    for (const auto& [id, order] : record.orders) {
        const auto product = record.products.find(order.product_id);
        if (order.ended || product == record.products.end() || !product->second.sale_limit)
            continue;
        bought_units& of = bought[{product->second.sale_id, order.user_id}];
        of.units += order.quantity;
        of.product_id = order.product_id;
        of.orders.push_back(id.order_id);
    }
    for (auto& [who, of] : bought) {
        const std::int64_t limit = limits.at(who.first);
        if (of.units <= limit) continue;
        into.faults.push_back({of.product_id, "no user above the limit of a sale",
                               "user " + std::to_string(who.second) + " has " +
                                   std::to_string(of.units) + " of sale " +
                                   std::to_string(who.first) + ", the limit is " +
                                   std::to_string(limit),
                               std::move(of.orders)});
    }
}

}  // namespace flashsale::audit
