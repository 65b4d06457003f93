#include "order_json.hpp"

#include <flashsale/base/json_fields.hpp>
#include <flashsale/order/problems.hpp>
#include <flashsale/stock/problem.hpp>
#include <flashsale/user/problems.hpp>

namespace flashsale::order {

namespace {

/// Without the bracket that closes it.
void open_order(std::string& out, const order& what, currency_code of_deployment) {
    out.append(R"({"id":")");
    what.id.append_to(out);
    out.append(R"(","user_id":)");
    append_integer(out, what.user_id);
    out.append(R"(,"product_id":)");
    append_integer(out, what.product_id);
    out.append(R"(,"quantity":)");
    append_integer(out, what.quantity);
    out.append(R"(,"unit_price":)");
    append_integer(out, what.unit_price);
    out.append(R"(,"currency":")").append(what.currency.or_else(of_deployment).text());
    out.append(R"(","order_status":")").append(shown(what.status));
    if (what.expires_at) out.append(R"(","expires_at":")").append(to_rfc3339(*what.expires_at));
    out.append(R"(","created_at":")").append(to_rfc3339(what.created_at)).push_back('"');
}

/// In decimal, however large: neither factor is below 0.
std::string total_of(const order& what) {
    unsigned __int128 total = static_cast<unsigned __int128>(what.quantity) *
                              static_cast<unsigned __int128>(what.unit_price);
    std::string digits;
    do {
        digits.push_back(static_cast<char>('0' + static_cast<int>(total % 10)));
        total /= 10;
    } while (total != 0);
    return {digits.rbegin(), digits.rend()};
}

/// Nothing of an empty one.
void append_text(std::string& out, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    out.append(name);
    append_json_string(out, text);
}

}  // namespace

void append_order(std::string& out, const order& what, currency_code of_deployment) {
    open_order(out, what, of_deployment);
    out.push_back('}');
}

void append_order_in_full(std::string& out, const order& what, std::span<const payment> payments,
                          currency_code of_deployment) {
    open_order(out, what, of_deployment);
    out.append(R"(,"lines":[{"product_id":)");
    append_integer(out, what.product_id);
    out.append(R"(,"quantity":)");
    append_integer(out, what.quantity);
    out.append(R"(,"unit_price":)");
    append_integer(out, what.unit_price);
    out.append(R"(}],"total":)").append(total_of(what));
    for (const payment& one : payments) {
        if (!one.replaces) continue;
        const bool is_new = one.order_id == what.id;
        append_text(out, is_new ? R"(,"replaces":)" : R"(,"replaced_by":)",
                    (is_new ? *one.replaces : one.order_id).to_string());
    }
    out.append(R"(,"payments":[)");
    for (const payment& one : payments) {
        if (&one != &payments.front()) out.push_back(',');
        append_payment(out, one, of_deployment);
    }
    out.append("]}");
}

void append_payment(std::string& out, const payment& what, currency_code of_deployment) {
    out.append(R"({"id":")");
    what.id.append_to(out);
    out.append(R"(","order_id":")");
    what.order_id.append_to(out);
    out.append(R"(","method":")").append(text_of(what.method)).append(R"(","amount":)");
    append_integer(out, what.amount);
    out.append(R"(,"currency":")").append(what.currency.or_else(of_deployment).text());
    out.append(R"(","state":")").append(text_of(what.state)).push_back('"');
    append_text(out, R"(,"reason":)", what.reason);
    append_text(out, R"(,"reference":)", what.reference);
    if (what.replaces) append_text(out, R"(,"replaces":)", what.replaces->to_string());
    out.append(R"(,"created_at":")").append(to_rfc3339(what.created_at)).append("\"}");
}

void append_refund(std::string& out, const refund& what, currency_code of_deployment) {
    out.append(R"({"id":")");
    what.id.append_to(out);
    out.append(R"(","order_id":")");
    what.order_id.append_to(out);
    out.append(R"(","payment_id":")");
    what.payment_id.append_to(out);
    out.append(R"(","method":")").append(text_of(what.method)).append(R"(","amount":)");
    append_integer(out, what.amount);
    out.append(R"(,"currency":")").append(what.currency.or_else(of_deployment).text());
    out.append(R"(","state":")").append(text_of(what.state)).push_back('"');
    append_text(out, R"(,"reason":)", what.reason);
    append_text(out, R"(,"reference":)", what.reference);
    out.append(R"(,"created_at":")").append(to_rfc3339(what.created_at)).append("\"}");
}

http::response problem_of(const failure& why) {
    if (const auto* stock_reason = std::get_if<stock::refusal>(&why)) {
        return stock::problem_of(*stock_reason);
    }
    switch (std::get<errc>(why)) {
        case errc::user_not_found:
            return http::problem(user::problems::user_not_found);
        case errc::order_not_found:
            return http::problem(problems::order_not_found);
        case errc::overloaded:
            return http::problem(http::problems::overloaded);
        case errc::dependency_unavailable:
            return http::problem(http::problems::dependency_unavailable);
    }
    return http::problem(http::problems::internal);
}

}  // namespace flashsale::order
