#include "change_problems.hpp"

#include <flashsale/order/problems.hpp>

#include "order_json.hpp"

namespace flashsale::order {

namespace {

std::string members_of(const change_failure& why, currency_code of_deployment) {
    std::string out;
    if (why.what) {
        out.append(R"(,"order_status":")").append(shown(why.what->status));
        out.append(R"(","since":")").append(to_rfc3339(why.what->status_since)).push_back('"');
    }
    if (why.by) {
        out.append(R"(,"payment":)");
        append_payment(out, *why.by, of_deployment);
    }
    return out;
}

const http::problem_type& type_of(change_failure::kind why) {
    using kind = change_failure::kind;
    switch (why) {
        case kind::not_payable:
            return problems::order_not_payable;
        case kind::not_cancellable:
            return problems::order_not_cancellable;
        case kind::not_refundable:
            return problems::order_not_refundable;
        case kind::too_late:
            return problems::payment_too_late;
        case kind::amount_mismatch:
            return problems::amount_mismatch;
        case kind::reference_taken:
            return problems::reference_taken;
        case kind::other_currency:
            return problems::other_currency;
        case kind::insufficient_balance:
            return problems::insufficient_balance;
        case kind::not_recorded:
        case kind::late:
            return problems::order_not_recorded;
        case kind::overloaded:
            return http::problems::overloaded;
        case kind::outcome_unknown:
            break;
    }
    return http::problems::outcome_unknown;
}

}  // namespace

http::response problem_of(const change_refusal& why, currency_code of_deployment) {
    if (const auto* none = std::get_if<failure>(&why)) return problem_of(*none);
    const auto& failed = std::get<change_failure>(why);
    http::response out = http::problem_with(type_of(failed.why), members_of(failed, of_deployment));
    out.replayed = failed.replayed;
    return out;
}

}  // namespace flashsale::order
