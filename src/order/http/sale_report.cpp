#include "sale_report.hpp"

#include <flashsale/base/json_fields.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace flashsale::order {

namespace {

/// By state, of orders or of their units.
struct counts {
    std::int64_t sold = 0;  ///< outright, or paid for
    std::int64_t pending = 0;
    std::int64_t cancelled = 0;
    std::int64_t expired = 0;
    std::int64_t refunded = 0;

    void add(order_status status, std::int64_t of) {
        switch (status) {
            case order_status::success:
            case order_status::paid:
                sold += of;
                break;
            case order_status::pending:
            case order_status::paying:
                pending += of;
                break;
            case order_status::cancelled:
                cancelled += of;
                break;
            case order_status::expired:
                expired += of;
                break;
            case order_status::refunded:
                refunded += of;
                break;
        }
    }
    void append_to(std::string& out) const {
        const std::pair<std::string_view, std::int64_t> all[] = {
            {R"({"sold":)", sold},           {R"(,"pending":)", pending},
            {R"(,"cancelled":)", cancelled}, {R"(,"expired":)", expired},
            {R"(,"refunded":)", refunded},
        };
        for (const auto& [name, value] : all) {
            out.append(name);
            append_integer(out, value);
        }
        out.push_back('}');
    }
};

struct money {
    __int128 turnover = 0;  ///< of all that was sold, what was refunded since included
    __int128 refunds = 0;
};

struct sums {
    std::int64_t supplied = 0, returned = 0;
    counts orders, units;
    std::map<std::string, money> by_currency;
    std::optional<timestamp> first, last;

    void add(const order_group& group, currency_code of_deployment) {
        orders.add(group.status, group.orders);
        units.add(group.status, group.units);
        first = std::min(first.value_or(group.first), group.first);
        last = std::max(last.value_or(group.last), group.last);
        const bool refunded = group.status == order_status::refunded;
        if (!refunded && group.status != order_status::success &&
            group.status != order_status::paid)
            return;
        money& of = by_currency[std::string(group.currency.or_else(of_deployment).text())];
        const __int128 amount = static_cast<__int128>(group.units) * group.unit_price;
        of.turnover += amount;
        if (refunded) of.refunds += amount;
    }
    void append_to(std::string& out) const {
        out.append(R"("given":)");
        append_integer(out, supplied - returned);
        out.append(R"(,"returned":)");
        append_integer(out, returned);
        out.append(R"(,"orders":)");
        orders.append_to(out);
        out.append(R"(,"units":)");
        units.append_to(out);
        out.append(R"(,"money":[)");
        bool begun = false;
        for (const auto& [currency, of] : by_currency) {
            if (std::exchange(begun, true)) out.push_back(',');
            out.append(R"({"currency":")").append(currency).append(R"(","turnover":)");
            append_exact(out, of.turnover);
            out.append(R"(,"refunds":)");
            append_exact(out, of.refunds);
            out.append(R"(,"revenue":)");
            append_exact(out, of.turnover - of.refunds);
            out.push_back('}');
        }
        out.append(R"(],"first_order_at":)");
        append_time(out, first);
        out.append(R"(,"last_order_at":)");
        append_time(out, last);
    }

    static void append_time(std::string& out, const std::optional<timestamp>& time) {
        time ? void(out.append("\"" + to_rfc3339(*time) + "\"")) : void(out.append("null"));
    }
};

}  // namespace

void append_exact(std::string& out, __int128 value) {
    if (value < 0) out.push_back('-');
    std::string digits;
    do {
        const int digit = static_cast<int>(value % 10);
        digits.push_back(static_cast<char>('0' + (digit < 0 ? -digit : digit)));
        value /= 10;
    } while (value != 0);
    out.append(digits.rbegin(), digits.rend());
}

std::string report_of(const stock::sale_summary& sale, std::span<const order_group> groups,
                      currency_code of_deployment) {
    sums all;
    std::map<std::int64_t, sums> by_product;
    for (const stock::sale_product& one : sale.products) {
        sums& of = by_product[one.id];
        of.supplied = one.supplied;
        of.returned = one.returned;
        all.supplied += one.supplied;
        all.returned += one.returned;
    }
    for (const order_group& group : groups) {
        by_product[group.product_id].add(group, of_deployment);
        all.add(group, of_deployment);
    }
    std::string out = R"({"sale_id":)";
    append_integer(out, sale.id);
    out.append(R"(,"name":)");
    append_json_string(out, sale.name);
    out.push_back(',');
    all.append_to(out);
    out.append(R"(,"products":[)");
    for (const stock::sale_product& one : sale.products) {
        if (&one != &sale.products.front()) out.push_back(',');
        out.append(R"({"product_id":)");
        append_integer(out, one.id);
        out.append(R"(,"name":)");
        append_json_string(out, one.name);
        out.push_back(',');
        by_product[one.id].append_to(out);
        out.push_back('}');
    }
    out.append("]}");
    return out;
}

}  // namespace flashsale::order
