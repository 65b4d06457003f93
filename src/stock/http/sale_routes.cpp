#include "sale_routes.hpp"

#include <flashsale/base/json_fields.hpp>
#include <flashsale/base/names.hpp>
#include <flashsale/http/if_match.hpp>
#include <flashsale/http/paging.hpp>
#include <flashsale/stock/problem.hpp>

#include "catalogue/sale_service.hpp"
#include "product_json.hpp"

namespace flashsale::stock {

namespace {

/// What stands is decided by hand and by the window together.
std::string_view shown_state(const sale& what) {
    const timestamp now = wall_clock_now();
    if (what.state == sale_state::ended || (what.terms.ends_at && now >= *what.terms.ends_at))
        return "ended";
    if (what.state == sale_state::paused) return "paused";
    return what.terms.starts_at && now < *what.terms.starts_at ? "scheduled" : "open";
}

void append_sale(std::string& out, const sale& what) {
    const sale_terms& terms = what.terms;
    out.append(R"({"id":)");
    append_integer(out, what.id);
    out.append(R"(,"name":)");
    append_json_string(out, terms.name);
    out.append(R"(,"state":")").append(shown_state(what)).append(R"(","starts_at":)");
    append_optional(out, terms.starts_at);
    out.append(R"(,"ends_at":)");
    append_optional(out, terms.ends_at);
    out.append(R"(,"payment_window_s":)");
    append_optional(out, terms.payment_window_s == 0
                             ? std::nullopt
                             : std::optional(std::int64_t{terms.payment_window_s}));
    out.append(R"(,"per_user_limit":)");
    append_optional(out, terms.per_user_limit);
    out.append(R"(,"products":)");
    append_integer(out, what.products);
    out.append(R"(,"revision":)");
    append_integer(out, what.revision);
    out.append(R"(,"created_at":")").append(to_rfc3339(what.created_at)).append("\"}");
}

http::response as_it_is(const sale& what, unsigned status = 200) {
    http::response out;
    out.status = status;
    out.revision = what.revision;
    append_sale(out.body, what);
    return out;
}

std::string read_name(json_fields& fields) {
    std::string out = fields.any_text("name");
    if (auto expected = fault_of_name(out, product_name_rules))
        fields.fault("name", std::move(*expected));
    return out;
}

std::uint32_t read_payment_window(json_fields& fields) {
    return static_cast<std::uint32_t>(
        fields.optional_integer("payment_window_s", 1, payment_window_max_s).value_or(0));
}

std::expected<sale_terms, http::response> read_new_sale(std::string_view body) {
    auto value = http::parse_body(body);
    if (!value) return std::unexpected(std::move(value.error()));
    json_fields fields(*value);
    sale_terms out;
    out.name = read_name(fields);
    out.starts_at = fields.optional_time("starts_at");
    out.ends_at = fields.optional_time("ends_at");
    out.payment_window_s = read_payment_window(fields);
    out.per_user_limit = fields.optional_integer("per_user_limit", 1, units_max);
    if (out.starts_at && out.ends_at && *out.ends_at <= *out.starts_at)
        fields.fault("ends_at", "a time after starts_at");
    if (auto fault = fields.finish()) return std::unexpected(http::problem(*fault));
    return out;
}

/// Fields that are not there stay as they are; null takes what stands there away.
std::expected<sale_patch, http::response> read_patch(std::string_view body) {
    auto value = http::parse_body(body);
    if (!value) return std::unexpected(std::move(value.error()));
    json_fields fields(*value);
    const auto* object = value->if_object();
    const auto has = [object](std::string_view name) { return object && object->contains(name); };
    sale_patch out;
    if (has("name")) out.name = read_name(fields);
    if (has("starts_at")) out.starts_at = fields.optional_time("starts_at");
    if (has("ends_at")) out.ends_at = fields.optional_time("ends_at");
    if (has("payment_window_s")) out.payment_window_s = read_payment_window(fields);
    if (has("per_user_limit"))
        out.per_user_limit = fields.optional_integer("per_user_limit", 1, units_max);
    if (auto fault = fields.finish()) return std::unexpected(http::problem(*fault));
    return out;
}

http::response refuse(errc why) {
    return why == errc::window_not_ordered ? http::problem({"ends_at", "a time after starts_at"})
           : why == errc::sale_over
               ? http::problem({"ends_at", "a time that is still to come, or null"})
               : problem_of(refusal(why));
}

class sale_routes {
public:
    explicit sale_routes(const http_dependencies& uses)
        : store_(uses.sales), service_(uses.sales, uses.units) {}

    awaitable<http::response> create(const http::request& asked) {
        auto what = read_new_sale(asked.body);
        if (!what) co_return std::move(what.error());
        const std::string key = asked.idempotency_key.empty() ? keys_.make().to_string()
                                                              : std::string(asked.idempotency_key);
        auto made = co_await store_.create(std::move(*what), key);
        http::response out = made ? as_it_is(made->what, 201) : refuse(made.error());
        out.idempotency_key = key;
        if (!made) co_return out;
        out.location = "/v1/sales/" + std::to_string(made->what.id);
        out.replayed = made->replayed;
        co_return out;
    }

    awaitable<http::response> get(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(problems::sale_not_found);
        const auto found = co_await store_.find(*id);
        co_return found ? as_it_is(*found) : refuse(found.error());
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
        const auto found = co_await store_.list(after, page->limit + 1);
        if (!found) co_return refuse(found.error());
        http::response out;
        out.body = http::page_body(
            std::span<const sale>(*found), page->limit,
            [](std::string& body, const sale& one) { append_sale(body, one); },
            [](const sale& one) { return std::to_string(one.id); });
        co_return out;
    }

    awaitable<http::response> patch(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(problems::sale_not_found);
        const auto revision = http::revision_in_if_match(asked);
        if (!revision) co_return revision.error();
        const auto what = read_patch(asked.body);
        if (!what) co_return what.error();
        const auto changed = co_await service_.change(*id, *revision, *what);
        co_return changed ? as_it_is(*changed) : refuse(changed.error());
    }

    awaitable<http::response> set_state(const http::request& asked, sale_state to) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(problems::sale_not_found);
        const auto changed = co_await service_.set_state(*id, to);
        co_return changed ? as_it_is(*changed) : refuse(changed.error());
    }

private:
    sale_store& store_;
    sale_service service_;
    uuid_generator keys_;
};

}  // namespace

void register_sale_routes(http::router& routes, const http_dependencies& uses) {
    using http::callers;
    using http::method;
    auto all = std::make_shared<sale_routes>(uses);
    const auto add = [&](method verb, std::string_view pattern, auto handle,
                         std::vector<std::string_view> query = {}) {
        routes.add({.verb = verb,
                    .pattern = pattern,
                    .who_may = callers::anybody(),
                    .handle = http::coroutine{uses.io,
                                              [all, handle](const http::request& asked) {
                                                  return handle(*all, asked);
                                              }},
                    .query = std::move(query)});
    };
    add(method::post, "/v1/sales",
        [](sale_routes& of, const http::request& asked) { return of.create(asked); });
    add(method::get, "/v1/sales",
        [](sale_routes& of, const http::request& asked) { return of.list(asked); },
        {"limit", "cursor"});
    add(method::get, "/v1/sales/{id}",
        [](sale_routes& of, const http::request& asked) { return of.get(asked); });
    add(method::patch, "/v1/sales/{id}",
        [](sale_routes& of, const http::request& asked) { return of.patch(asked); });
    const auto add_state = [&](std::string_view pattern, sale_state to) {
        add(method::post, pattern,
            [to](sale_routes& of, const http::request& asked) { return of.set_state(asked, to); });
    };
    add_state("/v1/sales/{id}/pause", sale_state::paused);
    add_state("/v1/sales/{id}/resume", sale_state::open);
    add_state("/v1/sales/{id}/end", sale_state::ended);
}

}  // namespace flashsale::stock
