// /v1/users/{id}/deposits and /v1/users/{id}/entries

#include "balance_routes.hpp"

#include <flashsale/base/uuid.hpp>
#include <flashsale/http/csv.hpp>
#include <flashsale/http/paging.hpp>
#include <flashsale/user/problems.hpp>

#include "entries_csv.hpp"
#include "store_problems.hpp"

namespace flashsale::user {

namespace {

void append_entry(std::string& out, const balance_entry& what) {
    out.append(R"({"id":)");
    append_integer(out, what.id);
    out.append(R"(,"user_id":)");
    append_integer(out, what.user_id);
    out.append(R"(,"kind":)");
    append_json_string(out, what.kind);
    out.append(R"(,"amount":)");
    append_integer(out, what.amount);
    out.append(R"(,"balance":)");
    append_integer(out, what.balance);
    out.append(R"(,"created_at":")").append(to_rfc3339(what.created_at)).push_back('"');
    const auto append_id = [&](std::string_view name, const std::optional<uuid>& id) {
        if (!id) return;
        out.append(name);
        id->append_to(out);
        out.push_back('"');
    };
    append_id(R"(,"order_id":")", what.order_id);
    append_id(R"(,"payment_id":")", what.payment_id);
    out.push_back('}');
}

class balance_routes {
public:
    balance_routes(asio::io_context& io, store& record) : io_(io), store_(record) {}

    awaitable<http::response> deposit(const http::request& asked) {
        const auto user_id = http::parse_id(asked.parameter);
        if (!user_id) co_return http::problem(problems::user_not_found);
        auto value = http::parse_body(asked.body);
        if (!value) co_return std::move(value.error());
        json_fields fields(*value);
        const std::int64_t amount = fields.integer("amount", 1, balance_max);
        if (auto fault = fields.finish()) co_return http::problem(*fault);
        std::string key = asked.idempotency_key.empty() ? keys_.make().to_string()
                                                        : std::string(asked.idempotency_key);
        const auto done = co_await store_.deposit(*user_id, amount, key);
        http::response out;
        if (done) {
            out.status = 201;
            out.replayed = done->replayed;
            append_entry(out.body, done->entry);
        } else {
            out = http::problem(problem_of(done.error()));
        }
        out.idempotency_key = std::move(key);
        co_return out;
    }

    awaitable<http::response> list(const http::request& asked) {
        const auto user_id = http::parse_id(asked.parameter);
        if (!user_id) co_return http::problem(problems::user_not_found);
        if (asked.media_type == http::csv_type) {
            if (!asked.query.empty())
                co_return http::problem(http::fault_of_page_query_for_csv(asked.query));
            auto all = std::make_unique<entry_walk>(store_, *user_id);
            auto first = co_await all->next();
            if (!first) co_return http::problem(problem_of(first.error()));
            co_return csv_of(io_, std::move(all), std::move(*first));
        }
        auto page = http::parse_page_query(asked.query);
        if (!page) co_return http::problem(page.error());
        std::optional<std::int64_t> before;
        if (!page->cursor.empty()) {
            before = http::parse_id(page->cursor);
            if (!before) co_return http::problem({"cursor", "a next_cursor of an earlier page"});
        }
        const auto found = co_await store_.entries(*user_id, before, page->limit + 1);
        if (!found) co_return http::problem(problem_of(found.error()));
        http::response out;
        out.body =
            http::page_body(std::span<const balance_entry>(*found), page->limit, append_entry,
                            [](const balance_entry& one) { return std::to_string(one.id); });
        co_return out;
    }

private:
    asio::io_context& io_;
    store& store_;
    uuid_generator keys_;
};

}  // namespace

void register_balance_routes(http::router& routes, asio::io_context& io, store& record) {
    using http::callers;
    using http::method;
    auto all = std::make_shared<balance_routes>(io, record);
    routes.add({.verb = method::post,
                .pattern = "/v1/users/{id}/deposits",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    io, [all](const http::request& asked) { return all->deposit(asked); }}});
    routes.add(
        {.verb = method::get,
         .pattern = "/v1/users/{id}/entries",
         .who_may = callers::anybody(),
         .handle =
             http::coroutine{io, [all](const http::request& asked) { return all->list(asked); }},
         .query = {"limit", "cursor"},
         .offers = {"application/json", http::csv_type}});
}

}  // namespace flashsale::user
