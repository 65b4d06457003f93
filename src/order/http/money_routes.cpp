// /v1/refunds/{id}/confirm and /v1/payments: money that belongs to buyers again

#include <flashsale/base/json_fields.hpp>
#include <flashsale/http/paging.hpp>
#include <flashsale/order/problems.hpp>

#include "life_routes.hpp"
#include "lists.hpp"
#include "order_json.hpp"

namespace flashsale::order {

namespace {

constexpr std::string_view owed_status = "status=refund_due";

/// The query without its status; nullopt: the status is not there, or another one.
std::optional<std::string> without_status(std::string_view query) {
    std::string rest;
    bool found = false;
    while (!query.empty()) {
        const auto end = query.find('&');
        const std::string_view one = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (one == owed_status && !found) {
            found = true;
            continue;
        }
        if (one.starts_with("status=")) return std::nullopt;
        if (!rest.empty()) rest.push_back('&');
        rest.append(one);
    }
    if (!found) return std::nullopt;
    return rest;
}

class money_routes {
public:
    explicit money_routes(const http_dependencies& uses)
        : owed_(uses.owed), currency_(uses.currency) {}

    awaitable<http::response> confirm(const http::request& asked) {
        const auto id = uuid::parse(asked.parameter);
        if (!id) co_return http::problem(problems::refund_not_found);
        auto value = http::parse_body(asked.body);
        if (!value) co_return std::move(value.error());
        json_fields fields(*value);
        const std::string reference = fields.text("reference", 1, reference_bytes_max);
        if (auto fault = fields.finish()) co_return http::problem(*fault);
        std::string key(asked.idempotency_key);
        http::response out;
        const auto done = co_await owed_.confirm(*id, reference);
        if (!done) {
            out = problem_of(failure(errc_of(done.error())));
        } else if (!done->what) {
            out = http::problem(problems::refund_not_found);
        } else if (done->what->reference != reference) {
            out = http::problem(problems::refund_not_confirmable);
        } else {
            out.replayed = !done->confirmed_now;
            append_refund(out.body, *done->what, currency_);
        }
        out.idempotency_key = std::move(key);
        co_return out;
    }

    awaitable<http::response> owed(const http::request& asked) {
        const auto rest = without_status(asked.query);
        if (!rest) co_return http::problem({"status", "refund_due, once"});
        auto page = http::parse_page_query(*rest);
        if (!page) co_return http::problem(page.error());
        uuid after{};
        if (!page->cursor.empty()) {
            const auto last = uuid::parse(page->cursor);
            if (!last) co_return http::problem({"cursor", "a next_cursor of an earlier page"});
            after = *last;
        }
        const auto found = co_await owed_.list(after, page->limit + 1);
        if (!found) co_return problem_of(failure(errc_of(found.error())));
        http::response out;
        out.body = http::page_body(
            std::span<const owed_payment>(*found), page->limit,
            [this](std::string& body, const owed_payment& one) {
                append_payment(body, one.what, currency_);
                body.back() = ',';
                body.append(R"("refund":)");
                append_refund(body, one.back, currency_);
                body.push_back('}');
            },
            [](const owed_payment& one) { return one.what.id.to_string(); });
        co_return out;
    }

private:
    owed_payments& owed_;
    const currency_code currency_;  ///< the deployment's
};

}  // namespace

void register_money_routes(http::router& routes, const http_dependencies& uses) {
    using http::callers;
    using http::method;
    auto all = std::make_shared<money_routes>(uses);
    routes.add({.verb = method::post,
                .pattern = "/v1/refunds/{id}/confirm",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    uses.io, [all](const http::request& asked) { return all->confirm(asked); }}});
    routes.add(
        {.verb = method::get,
         .pattern = "/v1/payments",
         .who_may = callers::anybody(),
         .handle = http::coroutine{uses.io,
                                   [all](const http::request& asked) { return all->owed(asked); }},
         .query = {"status", "limit", "cursor"}});
}

}  // namespace flashsale::order
