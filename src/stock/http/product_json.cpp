#include "product_json.hpp"

#include <flashsale/base/json_fields.hpp>

namespace flashsale::stock {

void append_optional(std::string& out, const std::optional<std::int64_t>& value) {
    value ? append_integer(out, *value) : void(out.append("null"));
}

void append_optional(std::string& out, const std::optional<timestamp>& value) {
    value ? void(out.append("\"" + to_rfc3339(*value) + "\"")) : void(out.append("null"));
}

void append_product(std::string& out, const product& what, currency_code of_deployment,
                    std::int64_t stock, const std::optional<std::int64_t>& available) {
    const auto if_not_zero = [](std::int64_t value) {
        return value == 0 ? std::nullopt : std::optional(value);
    };
    out.append(R"({"id":)");
    append_integer(out, what.id);
    out.append(R"(,"name":)");
    append_json_string(out, what.name);
    out.append(R"(,"price":)");
    append_integer(out, what.price);
    out.append(R"(,"currency":")").append(what.currency.or_else(of_deployment).text());
    out.push_back('"');
    out.append(R"(,"stock":)");
    append_integer(out, stock);
    out.append(R"(,"available":)");
    append_optional(out, available);
    out.append(R"(,"per_user_limit":)");
    append_optional(out, what.per_user_limit);
    out.append(R"(,"sale_id":)");
    append_optional(out, if_not_zero(what.sale_id));
    out.append(R"(,"sale_starts_at":)");
    append_optional(out, what.sale_starts_at);
    out.append(R"(,"sale_ends_at":)");
    append_optional(out, what.sale_ends_at);
    out.append(R"(,"payment_window_s":)");
    append_optional(out, if_not_zero(what.payment_window_s));
    out.append(R"(,"archived":)").append(what.halted == halt::archived ? "true" : "false");
    out.append(R"(,"revision":)");
    append_integer(out, what.revision);
    out.append(R"(,"created_at":")").append(to_rfc3339(what.created_at)).append("\"}");
}

}  // namespace flashsale::stock
