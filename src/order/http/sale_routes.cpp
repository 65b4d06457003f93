#include "sale_routes.hpp"

#include <flashsale/base/json_fields.hpp>
#include <flashsale/http/csv.hpp>
#include <flashsale/http/paging.hpp>
#include <flashsale/order/problems.hpp>
#include <flashsale/stock/problem.hpp>

#include "order_json.hpp"
#include "orders_csv.hpp"
#include "sale_report.hpp"
#include "sale_walk.hpp"

namespace flashsale::order {

namespace {

constexpr std::size_t reason_bytes_max = 200;
const std::vector<std::string_view> list_types{"application/json", http::csv_type};

std::vector<std::int64_t> ids_of(const stock::sale_summary& sale) {
    std::vector<std::int64_t> out;
    for (const stock::sale_product& one : sale.products)
        out.push_back(one.id);
    return out;
}

/// `12-345`: of product 12, behind place 345.
std::optional<sale_place> parse_place(std::string_view cursor) {
    const auto dash = cursor.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto product = http::parse_id(cursor.substr(0, dash));
    const auto after = cursor.substr(dash + 1) == "0" ? std::optional<std::int64_t>(0)
                                                      : http::parse_id(cursor.substr(dash + 1));
    if (!product || !after) return std::nullopt;
    return sale_place{*product, *after};
}

void append_time(std::string& out, const std::optional<timestamp>& time) {
    time ? void(out.append("\"" + to_rfc3339(*time) + "\"")) : void(out.append("null"));
}

class sale_routes {
public:
    explicit sale_routes(const http_dependencies& uses)
        : io_(uses.io),
          desk_(uses.desk),
          record_(uses.record),
          sales_(uses.sales),
          currency_(uses.currency) {}

    awaitable<http::response> report(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(stock::problems::sale_not_found);
        const auto sale = co_await desk_.find(*id);
        if (!sale) co_return stock::problem_of(stock::refusal(sale.error()));
        const auto groups = co_await sales_.groups(ids_of(*sale));
        if (!groups) co_return problem_of(failure(errc_of(groups.error())));
        http::response out;
        out.body = report_of(*sale, *groups, currency_);
        co_return out;
    }

    awaitable<http::response> orders(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(stock::problems::sale_not_found);
        const bool as_csv = asked.media_type == http::csv_type;
        if (as_csv && !asked.query.empty())
            co_return http::problem(http::fault_of_page_query_for_csv(asked.query));
        const auto page = http::parse_page_query(as_csv ? std::string_view() : asked.query);
        if (!page) co_return http::problem(page.error());
        sale_place from;
        if (!page->cursor.empty()) {
            const auto place = parse_place(page->cursor);
            if (!place) co_return http::problem({"cursor", "a next_cursor of an earlier page"});
            from = *place;
        }
        const std::int64_t limit = page->limit;
        const auto sale = co_await desk_.find(*id);
        if (!sale) co_return stock::problem_of(stock::refusal(sale.error()));
        auto walk = std::make_unique<sale_walk>(record_, ids_of(*sale), from);
        auto first = co_await walk->next(as_csv ? walk_page_orders : limit);
        if (!first) co_return problem_of(failure(first.error()));
        if (as_csv) {
            begun_walk all;
            all.rest = std::move(walk);
            all.first = std::move(*first);
            co_return csv_of(io_, std::move(all), currency_);
        }
        co_return page_of(*first, walk->place());
    }

    awaitable<http::response> cancel(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(stock::problems::sale_not_found);
        std::string reason;
        bool restock = false;
        if (!asked.body.empty()) {
            auto value = http::parse_body(asked.body);
            if (!value) co_return std::move(value.error());
            json_fields fields(*value);
            reason = fields.optional_text("reason", 1, reason_bytes_max).value_or("");
            restock = fields.optional_boolean("restock").value_or(false);
            if (auto fault = fields.finish()) co_return http::problem(*fault);
        }
        const auto before = co_await desk_.find(*id);
        if (!before) co_return stock::problem_of(stock::refusal(before.error()));
        if (ids_of(*before).empty())
            co_return http::problem({"id", "a sale that has products: there is nothing to cancel"});
        // Nothing of it is granted from here on, so what is recorded and what waits to be is all.
        const auto sale = co_await desk_.end(*id);
        if (!sale) co_return stock::problem_of(stock::refusal(sale.error()));
        const auto products = ids_of(*sale);
        const auto begun = co_await sales_.begin_cancellation(*id, products, reason, restock);
        if (!begun) co_return problem_of(failure(errc_of(begun.error())));
        auto out = co_await shown(*sale);
        out.replayed = !*begun;
        if (out.status == 200) out.status = 202;
        co_return out;
    }

    awaitable<http::response> cancellation(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(stock::problems::sale_not_found);
        const auto sale = co_await desk_.find(*id);
        if (!sale) co_return stock::problem_of(stock::refusal(sale.error()));
        co_return co_await shown(*sale);
    }

private:
    http::response page_of(const std::vector<order>& orders, const sale_place& next) const {
        http::response out;
        out.body = R"({"items":[)";
        for (const order& one : orders) {
            if (&one != &orders.front()) out.body.push_back(',');
            append_order(out.body, one, currency_);
        }
        out.body.append(R"(],"next_cursor":)");
        if (orders.empty()) {
            out.body.append("null}");
        } else {
            out.body.append("\"" + std::to_string(next.product_id) + "-" +
                            std::to_string(next.after) + "\"}");
        }
        return out;
    }

    /// How far it has come, and what is still owed.
    awaitable<http::response> shown(const stock::sale_summary& sale) {
        const auto job = co_await sales_.cancellation(sale.id);
        if (!job) co_return problem_of(failure(errc_of(job.error())));
        if (!*job) co_return http::problem(problems::sale_not_cancelled);
        const auto owed = co_await sales_.owed(ids_of(sale));
        if (!owed) co_return problem_of(failure(errc_of(owed.error())));
        const sale_cancellation& is = **job;
        http::response out;
        out.body = R"({"sale_id":)";
        append_integer(out.body, is.sale_id);
        out.body.append(R"(,"state":")").append(is.done_at ? "done" : "running");
        out.body.append(R"(","reason":)");
        if (is.reason.empty()) {
            out.body.append("null");
        } else {
            append_json_string(out.body, is.reason);
        }
        out.body.append(R"(,"restock":)").append(is.restock ? "true" : "false");
        out.body.append(R"(,"orders":{"cancelled":)");
        append_integer(out.body, is.cancelled);
        out.body.append(R"(,"refunded":)");
        append_integer(out.body, is.refunded);
        out.body.append(R"(,"expired":)");
        append_integer(out.body, is.expired);
        out.body.append(R"(},"owed":[)");
        for (const owed_refunds& one : *owed) {
            if (&one != &owed->front()) out.body.push_back(',');
            out.body.append(R"({"currency":")").append(one.currency.or_else(currency_).text());
            out.body.append(R"(","refunds":)");
            append_integer(out.body, one.refunds);
            out.body.append(R"(,"amount":)");
            append_integer(out.body, one.amount);
            out.body.push_back('}');
        }
        out.body.append(R"(],"created_at":")").append(to_rfc3339(is.created_at));
        out.body.append(R"(","done_at":)");
        append_time(out.body, is.done_at);
        out.body.push_back('}');
        co_return out;
    }

    asio::io_context& io_;
    stock::sale_desk& desk_;
    store& record_;
    sale_record& sales_;
    const currency_code currency_;  ///< the deployment's
};

}  // namespace

void register_sale_routes(http::router& routes, const http_dependencies& uses) {
    using http::callers;
    using http::method;
    auto all = std::make_shared<sale_routes>(uses);
    routes.add({.verb = method::get,
                .pattern = "/v1/sales/{id}/report",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    uses.io, [all](const http::request& asked) { return all->report(asked); }}});
    routes.add({.verb = method::get,
                .pattern = "/v1/sales/{id}/orders",
                .who_may = callers::anybody(),
                .handle =
                    http::coroutine{
                        uses.io, [all](const http::request& asked) { return all->orders(asked); }},
                .query = {"limit", "cursor"},
                .offers = list_types});
    routes.add({.verb = method::post,
                .pattern = "/v1/sales/{id}/cancel",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    uses.io, [all](const http::request& asked) { return all->cancel(asked); }}});
    routes.add({.verb = method::get,
                .pattern = "/v1/sales/{id}/cancellation",
                .who_may = callers::anybody(),
                .handle = http::coroutine{uses.io, [all](const http::request& asked) {
                                              return all->cancellation(asked);
                                          }}});
}

}  // namespace flashsale::order
