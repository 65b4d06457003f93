// /v1/orders and /v1/users/{id}/orders

#include <flashsale/http.hpp>
#include <flashsale/http/paging.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/stock/problem.hpp>

#include "service.hpp"

namespace flashsale::order {

namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

http::problem_code problem_of(const failure& why) {
    if (const auto* stock_reason = std::get_if<stock::errc>(&why)) {
        return stock::problem_of(*stock_reason);
    }
    switch (std::get<errc>(why)) {
        case errc::user_not_found:
            return http::problem_code::user_not_found;
        case errc::order_not_found:
            return http::problem_code::order_not_found;
        case errc::overloaded:
            return http::problem_code::overloaded;
        case errc::dependency_unavailable:
            return http::problem_code::dependency_unavailable;
    }
    return http::problem_code::internal;
}

void append_order(std::string& out, const order& what) {
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
    out.append(R"(,"order_status":"SUCCESS","created_at":")");
    out.append(to_rfc3339(what.created_at)).append("\"}");
}

std::expected<place_request, http::response> read_order(std::string_view body) {
    auto value = http::parse_body(body);
    if (!value) return std::unexpected(std::move(value.error()));
    json_fields fields(*value);
    place_request out;
    out.user_id = fields.integer("user_id", 1, int64_max);
    out.product_id = fields.integer("product_id", 1, int64_max);
    out.quantity = fields.integer("quantity", 1, stock::units_max);
    if (auto fault = fields.finish()) return std::unexpected(http::problem(*fault));
    return out;
}

class order_routes {
public:
    explicit order_routes(const http_dependencies& uses)
        : service_(uses.record, uses.users, uses.units, uses.reserves) {}

    void place(const http::request& asked, http::exchange reply) {
        auto request = read_order(asked.body);
        if (!request) return reply.answer(std::move(request.error()));
        std::string key = asked.idempotency_key.empty() ? keys_.make().to_string()
                                                        : std::string(asked.idempotency_key);
        request->idempotency_key = key;
        service_.place(std::move(*request), [key = std::move(key), reply = std::move(reply)](
                                                std::expected<placed, failure> made) mutable {
            http::response out;
            if (made) {
                out.status = 201;
                out.location = "/v1/orders/" + made->what.id.to_string();
                out.replayed = made->replayed;
                append_order(out.body, made->what);
            } else {
                out = http::problem(problem_of(made.error()));
            }
            out.idempotency_key = std::move(key);
            reply.answer(std::move(out));
        });
    }

    awaitable<http::response> get(const http::request& asked) {
        const auto id = uuid::parse(asked.parameter);
        if (!id) co_return http::problem(http::problem_code::order_not_found);
        const auto found = co_await service_.find(*id);
        if (!found) co_return http::problem(problem_of(found.error()));
        http::response out;
        append_order(out.body, *found);
        co_return out;
    }

    awaitable<http::response> list(const http::request& asked) {
        const auto user_id = http::parse_id(asked.parameter);
        if (!user_id) co_return http::problem(http::problem_code::user_not_found);
        auto page = http::parse_page_query(asked.query);
        if (!page) co_return http::problem(page.error());
        std::optional<uuid> before;
        if (!page->cursor.empty()) {
            before = uuid::parse(page->cursor);
            if (!before) co_return http::problem({"cursor", "a next_cursor of an earlier page"});
        }
        auto found = co_await service_.list(*user_id, before, page->limit + 1);
        if (!found) co_return http::problem(problem_of(found.error()));
        http::response out;
        out.body = http::page_body(std::span<const order>(*found), page->limit, append_order,
                                   [](const order& one) { return one.id.to_string(); });
        co_return out;
    }

private:
    service service_;
    uuid_generator keys_;
};

}  // namespace

void register_routes(http::router& routes, const http_dependencies& uses) {
    using http::method;
    auto all = std::make_shared<order_routes>(uses);
    routes.add(method::post, "/v1/orders", [all](const http::request& asked, http::exchange reply) {
        all->place(asked, std::move(reply));
    });
    routes.add_async(uses.io, method::get, "/v1/orders/{id}",
                     [all](const http::request& asked) { return all->get(asked); });
    routes.add_async(uses.io, method::get, "/v1/users/{id}/orders",
                     [all](const http::request& asked) { return all->list(asked); });
}

}  // namespace flashsale::order
