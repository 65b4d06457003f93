// /v1/products

#include <boost/asio/io_context.hpp>

#include <flashsale/base/names.hpp>
#include <flashsale/http/if_match.hpp>
#include <flashsale/http/paging.hpp>
#include <flashsale/stock/module.hpp>
#include <flashsale/stock/problem.hpp>

#include "catalogue/service.hpp"
#include "product_json.hpp"
#include "sale_routes.hpp"

namespace flashsale::stock {

namespace {

/// Minor units; what a browser's numbers hold exactly.
constexpr std::int64_t amount_max = (std::int64_t{1} << 53) - 1;

constexpr const char* of_the_sale = "none: it is the sale's";

std::expected<new_product, http::response> read_new_product(std::string_view body) {
    auto value = http::parse_body(body);
    if (!value) return std::unexpected(std::move(value.error()));
    json_fields fields(*value);
    new_product out;
    out.name = fields.any_text("name");
    if (auto expected = fault_of_name(out.name, product_name_rules))
        fields.fault("name", std::move(*expected));
    out.price = fields.integer("price", 0, amount_max);
    if (const auto code = fields.optional_text("currency", 3, 3)) {
        if (is_currency(*code)) {
            out.currency = currency_code::of_record(*code);
        } else {
            fields.fault("currency", "an ISO 4217 code in use, such as EUR, or null");
        }
    }
    out.stock = fields.integer("stock", 0, units_max);
    out.per_user_limit = fields.optional_integer("per_user_limit", 1, units_max);
    out.payment_window_s = static_cast<std::uint32_t>(
        fields.optional_integer("payment_window_s", 1, payment_window_max_s).value_or(0));
    out.sale_starts_at = fields.optional_time("sale_starts_at");
    out.sale_ends_at = fields.optional_time("sale_ends_at");
    if (const auto sale = fields.optional_integer("sale_id", 1, amount_max)) {
        out.sale_id = *sale;
        if (out.sale_starts_at) fields.fault("sale_starts_at", of_the_sale);
        if (out.sale_ends_at) fields.fault("sale_ends_at", of_the_sale);
        if (out.payment_window_s != 0) fields.fault("payment_window_s", of_the_sale);
    }
    if (out.sale_starts_at && out.sale_ends_at && *out.sale_ends_at <= *out.sale_starts_at) {
        fields.fault("sale_ends_at", "a time after sale_starts_at");
    }
    if (auto fault = fields.finish()) return std::unexpected(http::problem(*fault));
    return out;
}

/// Fields that are not there stay as they are; null takes a limit or an end of the window away.
std::expected<product_patch, http::response> read_patch(std::string_view body) {
    auto value = http::parse_body(body);
    if (!value) return std::unexpected(std::move(value.error()));
    json_fields fields(*value);
    const auto* object = value->if_object();
    const auto has = [object](std::string_view name) { return object && object->contains(name); };
    product_patch out;
    if (has("name")) {
        out.name = fields.any_text("name");
        if (auto expected = fault_of_name(*out.name, product_name_rules))
            fields.fault("name", std::move(*expected));
    }
    if (has("price")) out.price = fields.integer("price", 0, amount_max);
    if (has("per_user_limit"))
        out.per_user_limit = fields.optional_integer("per_user_limit", 1, units_max);
    if (has("sale_starts_at")) out.sale_starts_at = fields.optional_time("sale_starts_at");
    if (has("sale_ends_at")) out.sale_ends_at = fields.optional_time("sale_ends_at");
    if (auto fault = fields.finish()) return std::unexpected(http::problem(*fault));
    return out;
}

std::expected<std::int64_t, http::response> read_quantity(std::string_view body) {
    auto value = http::parse_body(body);
    if (!value) return std::unexpected(std::move(value.error()));
    json_fields fields(*value);
    const std::int64_t quantity = fields.integer("quantity", 1, units_max);
    if (auto fault = fields.finish()) return std::unexpected(http::problem(*fault));
    return quantity;
}

http::response refuse(const refusal& why, std::string key) {
    const auto most = std::to_string(units_max);
    auto out = why == errc::too_many_units
                   ? http::problem({"quantity", "no more than brings all ever given to " + most})
               : why == errc::window_of_sale ? http::problem({"sale_starts_at", of_the_sale})
               : why == errc::sale_not_found
                   ? http::problem({"sale_id", "the id of a sale that there is, or null"})
               : why == errc::sale_full
                   ? http::problem({"sale_id", "a sale of fewer than " +
                                                   std::to_string(products_of_sale_max) +
                                                   " products, or null"})
               : why == errc::window_not_ordered
                   ? http::problem({"sale_ends_at", "a time after sale_starts_at"})
               : why == errc::sale_over  // of a product that was to be made
                   ? http::problem({"sale_ends_at", "a time that is still to come, or null"})
                   : problem_of(why);
    out.idempotency_key = std::move(key);
    return out;
}

http::response changed(const stock_change& what, std::string_view name, std::string key) {
    http::response out;
    out.body.append(R"({"id":")").append(what.movement.to_string()).append(R"(","operation":")");
    out.body.append(name).append(R"(","product_id":)");
    append_integer(out.body, what.product_id);
    out.body.append(R"(,"quantity":)");
    append_integer(out.body, what.quantity);
    out.body.append(R"(,"created_at":")").append(to_rfc3339(what.created_at)).append("\"}");
    out.idempotency_key = std::move(key);
    out.replayed = what.replayed;
    return out;
}

class product_routes {
public:
    explicit product_routes(const http_dependencies& uses)
        : service_(uses.record, uses.terms, uses.units, uses.view, uses.reserves),
          currency_(uses.currency) {}

    awaitable<http::response> create(const http::request& asked) {
        auto what = read_new_product(asked.body);
        if (!what) co_return std::move(what.error());
        std::string key = key_of(asked);
        what->idempotency_key = key;
        auto made = co_await service_.create(std::move(*what));
        if (!made) co_return refuse(made.error(), std::move(key));
        http::response out;
        out.status = 201;
        out.location = "/v1/products/" + std::to_string(made->what.id);
        out.idempotency_key = std::move(key);
        out.replayed = made->replayed;
        append_product(out.body, made->what, currency_, made->initial, made->initial);
        co_return out;
    }

    awaitable<http::response> get(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(problems::product_not_found);
        auto found = co_await service_.find(*id);
        if (!found) co_return problem_of(found.error());
        http::response out;
        out.revision = found->what.revision;
        append_product(out.body, found->what, currency_, found->what.stock, found->available);
        co_return out;
    }

    awaitable<http::response> patch(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(problems::product_not_found);
        const auto revision = http::revision_in_if_match(asked);
        if (!revision) co_return revision.error();
        const auto what = read_patch(asked.body);
        if (!what) co_return what.error();
        const auto changed = co_await service_.change(*id, *revision, *what);
        if (!changed) co_return refuse(changed.error(), {});
        co_return as_it_is(*changed);
    }

    awaitable<http::response> erase(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(problems::product_not_found);
        const auto withdrawn = co_await service_.withdraw(*id);
        if (!withdrawn) co_return refuse(withdrawn.error(), {});
        if (withdrawn->halted != halt::deleted) co_return as_it_is(*withdrawn);
        http::response none;
        none.status = 204;
        co_return none;
    }

    awaitable<http::response> list(const http::request& asked) {
        auto page = http::parse_page_query(asked.query);
        if (!page) co_return http::problem(page.error());
        std::int64_t after = 0;
        if (!page->cursor.empty()) {
            const auto id = http::parse_id(page->cursor);
            if (!id) co_return http::problem({"cursor", "a next_cursor of an earlier page"});
            after = *id;
        }
        auto found = co_await service_.list(after, page->limit + 1);
        if (!found) co_return problem_of(found.error());
        http::response out;
        out.body = http::page_body(
            std::span<const product_view>(*found), page->limit,
            [this](std::string& body, const product_view& one) {
                append_product(body, one.what, currency_, one.what.stock, one.available);
            },
            [](const product_view& one) { return std::to_string(one.what.id); });
        co_return out;
    }

    awaitable<http::response> change(const http::request& asked, bool up) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(problems::product_not_found);
        const auto quantity = read_quantity(asked.body);
        if (!quantity) co_return quantity.error();
        std::string key = key_of(asked);
        auto done = up ? co_await service_.restock(*id, *quantity, key)
                       : co_await service_.reduce(*id, *quantity, key);
        if (!done) co_return refuse(done.error(), std::move(key));
        co_return changed(*done, up ? "restock" : "reduce-stock", std::move(key));
    }

private:
    /// What is free of it is not asked for.
    http::response as_it_is(const product& what) const {
        http::response out;
        out.revision = what.revision;
        append_product(out.body, what, currency_, what.stock, std::nullopt);
        return out;
    }

    std::string key_of(const http::request& asked) {
        return asked.idempotency_key.empty() ? keys_.make().to_string()
                                             : std::string(asked.idempotency_key);
    }

    service service_;
    const currency_code currency_;  ///< the deployment's
    uuid_generator keys_;
};

}  // namespace

void register_routes(http::router& routes, const http_dependencies& uses) {
    using http::callers;
    using http::method;
    routes.declare(problems::all);
    register_sale_routes(routes, uses);
    auto all = std::make_shared<product_routes>(uses);
    routes.add({.verb = method::post,
                .pattern = "/v1/products",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    uses.io, [all](const http::request& asked) { return all->create(asked); }}});
    routes.add(
        {.verb = method::get,
         .pattern = "/v1/products",
         .who_may = callers::anybody(),
         .handle = http::coroutine{uses.io,
                                   [all](const http::request& asked) { return all->list(asked); }},
         .query = {"limit", "cursor"},
         .kept_by = http::caching::everybody});
    routes.add(
        {.verb = method::get,
         .pattern = "/v1/products/{id}",
         .who_may = callers::anybody(),
         .handle = http::coroutine{uses.io,
                                   [all](const http::request& asked) { return all->get(asked); }},
         .kept_by = http::caching::everybody});
    routes.add({.verb = method::patch,
                .pattern = "/v1/products/{id}",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    uses.io, [all](const http::request& asked) { return all->patch(asked); }}});
    routes.add({.verb = method::erase,
                .pattern = "/v1/products/{id}",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    uses.io, [all](const http::request& asked) { return all->erase(asked); }}});
    routes.add({.verb = method::post,
                .pattern = "/v1/products/{id}/restock",
                .who_may = callers::anybody(),
                .handle = http::coroutine{uses.io, [all](const http::request& asked) {
                                              return all->change(asked, true);
                                          }}});
    routes.add({.verb = method::post,
                .pattern = "/v1/products/{id}/reduce-stock",
                .who_may = callers::anybody(),
                .handle = http::coroutine{uses.io, [all](const http::request& asked) {
                                              return all->change(asked, false);
                                          }}});
}

}  // namespace flashsale::stock
