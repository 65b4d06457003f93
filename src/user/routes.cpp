// /v1/users

#include <flashsale/base/names.hpp>
#include <flashsale/base/url_text.hpp>
#include <flashsale/base/uuid.hpp>
#include <flashsale/http.hpp>
#include <flashsale/http/paging.hpp>
#include <flashsale/user/module.hpp>
#include <flashsale/user/problems.hpp>

#include "balance_routes.hpp"
#include "store_problems.hpp"

namespace flashsale::user {

namespace {

void append_user(std::string& out, const user& who) {
    out.append(R"({"id":)");
    append_integer(out, who.id);
    out.append(R"(,"username":)");
    append_json_string(out, who.username);
    out.append(R"(,"balance":)");
    append_integer(out, who.balance);
    out.append(R"(,"created_at":")").append(to_rfc3339(who.created_at)).append("\"}");
}

/// What a name is asked for by, in `username=…`. Of an older user it may be one that would be
/// refused today.
std::expected<std::string, field_fault> read_username_query(std::string_view query) {
    constexpr std::string_view parameter = "username=";
    const field_fault fault{"username", "a user's name, percent-encoded UTF-8"};
    query = query.substr(0, query.find('&'));
    if (!query.starts_with(parameter)) return std::unexpected(fault);
    auto name = query_value_decoded(query.substr(parameter.size()));
    if (!name || name->empty() || name->contains('\0') || !is_valid_utf8(*name))
        return std::unexpected(fault);
    return std::move(*name);
}

class user_routes {
public:
    explicit user_routes(store& record) : store_(record) {}

    awaitable<http::response> create(const http::request& asked) {
        auto value = http::parse_body(asked.body);
        if (!value) co_return std::move(value.error());
        json_fields fields(*value);
        std::string username = fields.any_text("username");
        if (auto expected = fault_of_name(username, username_rules))
            fields.fault("username", std::move(*expected));
        const auto balance = fields.optional_integer("balance", 0, balance_max).value_or(0);
        if (auto fault = fields.finish()) co_return http::problem(*fault);
        std::string key = asked.idempotency_key.empty() ? keys_.make().to_string()
                                                        : std::string(asked.idempotency_key);
        auto made = co_await store_.create(std::move(username), balance, key);
        http::response out;
        if (made) {
            out.status = 201;
            out.location = "/v1/users/" + std::to_string(made->who.id);
            append_user(out.body, made->who);
            out.replayed = made->replayed;
        } else {
            out = http::problem(problem_of(made.error()));
        }
        out.idempotency_key = std::move(key);
        co_return out;
    }

    awaitable<http::response> get(const http::request& asked) {
        const auto id = http::parse_id(asked.parameter);
        if (!id) co_return http::problem(problems::user_not_found);
        auto found = co_await store_.find(*id);
        if (!found) co_return http::problem(problem_of(found.error()));
        if (!*found) co_return http::problem(problems::user_not_found);
        http::response out;
        append_user(out.body, **found);
        co_return out;
    }

    /// A list of one, or of none.
    awaitable<http::response> find_by_name(const http::request& asked) {
        auto name = read_username_query(asked.query);
        if (!name) co_return http::problem(name.error());
        auto found = co_await store_.find_by_name(std::move(*name));
        if (!found) co_return http::problem(problem_of(found.error()));
        std::vector<user> users;
        if (*found) users.push_back(std::move(**found));
        http::response out;
        out.body = http::page_body(std::span<const user>(users), 1, append_user,
                                   [](const user&) { return std::string(); });
        co_return out;
    }

private:
    store& store_;
    uuid_generator keys_;
};

}  // namespace

void register_routes(http::router& routes, asio::io_context& io, store& record) {
    using http::callers;
    using http::method;
    routes.declare(problems::all);
    auto all = std::make_shared<user_routes>(record);
    routes.add({.verb = method::post,
                .pattern = "/v1/users",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    io, [all](const http::request& asked) { return all->create(asked); }}});
    routes.add({.verb = method::get,
                .pattern = "/v1/users",
                .who_may = callers::anybody(),
                .handle =
                    http::coroutine{
                        io, [all](const http::request& asked) { return all->find_by_name(asked); }},
                .query = {"username"},
                .kept_by = http::caching::its_person});
    routes.add(
        {.verb = method::get,
         .pattern = "/v1/users/{id}",
         .who_may = callers::anybody(),
         .handle =
             http::coroutine{io, [all](const http::request& asked) { return all->get(asked); }},
         .kept_by = http::caching::its_person});
    register_balance_routes(routes, io, record);
}

}  // namespace flashsale::user
