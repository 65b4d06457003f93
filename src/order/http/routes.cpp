// /v1/orders, /v1/users/{id}/orders and /v1/products/{id}/orders

#include <flashsale/http.hpp>
#include <flashsale/http/csv.hpp>
#include <flashsale/http/paging.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/order/problems.hpp>
#include <flashsale/stock/problems.hpp>
#include <flashsale/user/problems.hpp>

#include "life_routes.hpp"
#include "lists.hpp"
#include "order_json.hpp"
#include "orders_csv.hpp"
#include "sale_routes.hpp"
#include "service.hpp"

namespace flashsale::order {

namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

/// Into the object that a list is.
void append_complete_until(std::string& list, const std::optional<timestamp>& until) {
    list.back() = ',';
    list.append(R"("complete_until":)");
    list.append(until ? '"' + to_rfc3339(*until) + '"' : "null").push_back('}');
}

/// The answer, if the body is not an order.
std::optional<http::response> read_order(std::string_view body, place_request& out) {
    // Room for every body that is right: the parser needs no heap.
    std::array<unsigned char, 1'024> room;
    boost::json::monotonic_resource memory(room.data(), room.size());
    auto value = http::parse_body(body, &memory);
    if (!value) return std::move(value.error());
    json_fields fields(*value);
    out.user_id = fields.integer("user_id", 1, int64_max);
    out.product_id = fields.integer("product_id", 1, int64_max);
    out.quantity = fields.integer("quantity", 1, stock::units_max);
    out.unit_price_max = fields.optional_integer("expected_unit_price", 0, stock::units_max)
                             .value_or(stock::any_price);
    if (auto fault = fields.finish()) return http::problem(*fault);
    return std::nullopt;
}

http::response accepted(const placed& one, currency_code of_deployment) {
    http::response out;
    out.status = 201;
    out.location = "/v1/orders/" + one.what.id.to_string();
    out.replayed = one.replayed;
    append_order(out.body, one.what, of_deployment);
    return out;
}

class placing_over_http final : public placing {
public:
    placing_over_http(http::exchange to, currency_code of_deployment)
        : reply(std::move(to)), currency(of_deployment) {}

    void finish(std::expected<placed, failure> outcome) override {
        http::response out = outcome ? accepted(*outcome, currency) : problem_of(outcome.error());
        out.idempotency_key = std::move(request.idempotency_key);
        reply.answer(std::move(out));
    }

    http::exchange reply;
    const currency_code currency;  ///< the deployment's
};

const std::vector<std::string_view> list_types{"application/json", http::csv_type};

class order_routes {
public:
    explicit order_routes(const http_dependencies& uses)
        : io_(uses.io),
          service_(uses.io, uses.record, uses.users, uses.outbox, uses.units, uses.reserves,
                   uses.changes),
          record_(uses.record),
          lists_(uses.io, uses.record, uses.users, uses.outbox, uses.units, uses.shards),
          currency_(uses.currency) {}

    void place(const http::request& asked, http::exchange reply) {
        auto one = std::make_unique<placing_over_http>(std::move(reply), currency_);
        if (auto refused = read_order(asked.body, one->request)) {
            return one->reply.answer(std::move(*refused));
        }
        if (asked.idempotency_key.empty()) {
            one->request.idempotency_key = keys_.make().to_string();
        } else {
            one->request.idempotency_key = asked.idempotency_key;
        }
        service_.place(std::move(one));
    }

    awaitable<http::response> get(const http::request& asked) {
        const auto id = uuid::parse(asked.parameter);
        if (!id) co_return http::problem(problems::order_not_found);
        const auto found = co_await service_.find(*id, asked.name.to_string());
        if (!found) co_return problem_of(found.error());
        std::vector<payment> payments;
        if (found->was_held()) {
            auto all = co_await record_.payments(*id);
            if (!all) co_return problem_of(failure(errc_of(all.error())));
            payments = std::move(*all);
        }
        http::response out;
        append_order_in_full(out.body, *found, payments, currency_);
        co_return out;
    }

    service& orders() { return service_; }

    awaitable<http::response> list(const http::request& asked) {
        const auto user_id = http::parse_id(asked.parameter);
        if (!user_id) co_return http::problem(user::problems::user_not_found);
        if (asked.media_type == http::csv_type) {
            if (!asked.query.empty())
                co_return http::problem(http::fault_of_page_query_for_csv(asked.query));
            auto all = co_await lists_.walk_of_user(*user_id);
            if (!all) co_return problem_of(all.error());
            co_return csv_of(io_, std::move(*all), currency_);
        }
        auto page = http::parse_page_query(asked.query);
        if (!page) co_return http::problem(page.error());
        std::optional<uuid> before;
        if (!page->cursor.empty()) {
            before = uuid::parse(page->cursor);
            if (!before) co_return http::problem({"cursor", "a next_cursor of an earlier page"});
        }
        auto found = co_await lists_.of_user(*user_id, before, page->limit + 1);
        if (!found) co_return problem_of(found.error());
        http::response out;
        out.body = http::page_body(
            std::span<const order>(found->items), page->limit,
            [this](std::string& body, const order& one) { append_order(body, one, currency_); },
            [](const order& one) { return one.id.to_string(); });
        append_complete_until(out.body, found->complete_until);
        co_return out;
    }

    awaitable<http::response> list_of_product(const http::request& asked) {
        const auto product_id = http::parse_id(asked.parameter);
        if (!product_id) co_return http::problem(stock::problems::product_not_found);
        if (asked.media_type == http::csv_type) {
            if (!asked.query.empty())
                co_return http::problem(http::fault_of_page_query_for_csv(asked.query));
            auto all = co_await lists_.walk_of_product(*product_id);
            if (!all) co_return problem_of(all.error());
            co_return csv_of(io_, std::move(*all), currency_);
        }
        auto page = http::parse_page_query(asked.query);
        if (!page) co_return http::problem(page.error());
        std::int64_t after = 0;
        if (!page->cursor.empty()) {
            const auto position = http::parse_id(page->cursor);
            if (!position) co_return http::problem({"cursor", "a next_cursor of an earlier page"});
            after = *position;
        }
        auto found = co_await lists_.of_product(*product_id, after, page->limit);
        if (!found) co_return problem_of(found.error());
        // It goes on for ever: where this page ends the next one begins, however empty it is.
        if (!found->items.empty()) after = found->items.back().position;
        http::response out;
        out.body = R"({"items":[)";
        for (const recorded_order_view& one : found->items) {
            if (&one != &found->items.front()) out.body.push_back(',');
            append_order(out.body, one.what, currency_);
        }
        out.body.append(R"(],"next_cursor":)");
        out.body.append(after == 0 ? "null" : '"' + std::to_string(after) + '"').push_back('}');
        append_complete_until(out.body, found->complete_until);
        co_return out;
    }

private:
    asio::io_context& io_;
    service service_;
    store& record_;
    order_lists lists_;
    const currency_code currency_;  ///< the deployment's
    uuid_generator keys_;
};

}  // namespace

void register_routes(http::router& routes, const http_dependencies& uses) {
    using http::callers;
    using http::method;
    routes.declare(problems::all);
    auto all = std::make_shared<order_routes>(uses);
    routes.add({.verb = method::post,
                .pattern = "/v1/orders",
                .who_may = callers::anybody(),
                .handle = [all](const http::request& asked, http::exchange reply) {
                    all->place(asked, std::move(reply));
                }});
    routes.add(
        {.verb = method::get,
         .pattern = "/v1/orders/{id}",
         .who_may = callers::anybody(),
         .handle = http::coroutine{uses.io,
                                   [all](const http::request& asked) { return all->get(asked); }},
         .kept_by = http::caching::its_person});
    routes.add(
        {.verb = method::get,
         .pattern = "/v1/users/{id}/orders",
         .who_may = callers::anybody(),
         .handle = http::coroutine{uses.io,
                                   [all](const http::request& asked) { return all->list(asked); }},
         .query = {"limit", "cursor"},
         .offers = list_types});
    routes.add({.verb = method::get,
                .pattern = "/v1/products/{id}/orders",
                .who_may = callers::anybody(),
                .handle = http::coroutine{uses.io,
                                          [all](const http::request& asked) {
                                              return all->list_of_product(asked);
                                          }},
                .query = {"limit", "cursor"},
                .offers = list_types});
    // `all` owns the service, and the routes share it.
    register_life_routes(routes, uses, std::shared_ptr<service>(all, &all->orders()));
    register_money_routes(routes, uses);
    register_sale_routes(routes, uses);
}

}  // namespace flashsale::order
