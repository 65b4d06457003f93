// /v1/orders/{id}/payments, /v1/orders/{id}/cancel, /v1/orders/{id}/refunds and
// /v1/orders/{id}/changes

#include "life_routes.hpp"

#include <flashsale/base/json_fields.hpp>
#include <flashsale/order/problems.hpp>

#include "change_problems.hpp"
#include "order_json.hpp"

namespace flashsale::order {

namespace {

constexpr std::size_t reason_bytes_max = 200;
constexpr std::int64_t amount_max = 9'007'199'254'740'991;  ///< 2^53 - 1

void append_change(std::string& out, const order_change& what) {
    out.append(R"({"from":")").append(shown(what.from));
    out.append(R"(","to":")").append(shown(what.to)).append(R"(","reason":)");
    if (what.reason.empty()) {
        out.append("null");
    } else {
        append_json_string(out, what.reason);
    }
    out.append(R"(,"changed_at":")").append(to_rfc3339(what.changed_at)).append("\"}");
}

class life_routes {
public:
    life_routes(const http_dependencies& uses, std::shared_ptr<service> orders)
        : orders_(std::move(orders)), record_(uses.record), currency_(uses.currency) {}

    awaitable<http::response> pay(const http::request& asked) {
        const auto id = uuid::parse(asked.parameter);
        if (!id) co_return http::problem(problems::order_not_found);
        auto value = http::parse_body(asked.body);
        if (!value) co_return std::move(value.error());
        json_fields fields(*value);
        const std::string method = fields.any_text("method");
        change_request wanted{.what = change_request::kind::pay_from_balance, .order_id = *id};
        if (method == "external") {
            wanted.what = change_request::kind::pay_from_outside;
            wanted.reference = fields.text("reference", 1, reference_bytes_max);
            wanted.amount = fields.integer("amount", 1, amount_max);
            const auto status = fields.optional_text("status", 1, reference_bytes_max);
            wanted.announced = status == "started";
            if (status && !wanted.announced && status != "succeeded")
                fields.fault("status", R"("started" or "succeeded")");
        } else if (method != "balance") {
            fields.fault("method", R"("balance" or "external")");
        }
        if (auto fault = fields.finish()) co_return http::problem(*fault);
        wanted.key_is_ours = asked.idempotency_key.empty();
        wanted.idempotency_key =
            wanted.key_is_ours ? keys_.make().to_string() : std::string(asked.idempotency_key);
        std::string key = wanted.idempotency_key;
        const auto done = co_await orders_->change(std::move(wanted), asked.name.to_string());
        http::response out;
        if (done) {
            out.status = 201;
            out.replayed = done->replayed;
            out.location = "/v1/orders/" + done->by->order_id.to_string();
            append_payment(out.body, *done->by, currency_);
        } else {
            out = problem_of(done.error(), currency_);
        }
        out.idempotency_key = std::move(key);
        co_return out;
    }

    awaitable<http::response> cancel(const http::request& asked) {
        return end(asked, change_request::kind::cancel);
    }
    awaitable<http::response> refund(const http::request& asked) {
        return end(asked, change_request::kind::refund);
    }

    awaitable<http::response> changes(const http::request& asked) {
        const auto id = uuid::parse(asked.parameter);
        if (!id) co_return http::problem(problems::order_not_found);
        const auto found = co_await orders_->find(*id, asked.name.to_string());
        if (!found) co_return problem_of(found.error());
        const auto all = co_await record_.changes(*id);
        if (!all) co_return problem_of(failure(errc_of(all.error())));
        http::response out;
        out.body = R"({"items":[)";
        for (const order_change& one : *all) {
            if (&one != &all->front()) out.body.push_back(',');
            append_change(out.body, one);
        }
        out.body.append("]}");
        co_return out;
    }

private:
    /// Of an order that is cancelled or refunded: why, and whether its units are for sale again.
    awaitable<http::response> end(const http::request& asked, change_request::kind how) {
        const auto id = uuid::parse(asked.parameter);
        if (!id) co_return http::problem(problems::order_not_found);
        change_request wanted{.what = how, .order_id = *id};
        if (!asked.body.empty()) {
            auto value = http::parse_body(asked.body);
            if (!value) co_return std::move(value.error());
            json_fields fields(*value);
            wanted.reason = fields.optional_text("reason", 1, reason_bytes_max).value_or("");
            wanted.restock = fields.optional_boolean("restock").value_or(true);
            if (auto fault = fields.finish()) co_return http::problem(*fault);
        }
        std::string key(asked.idempotency_key);
        const auto done = co_await orders_->change(std::move(wanted), asked.name.to_string());
        http::response out;
        if (!done) {
            out = problem_of(done.error(), currency_);
        } else if (done->back) {
            out.status = 201;
            append_refund(out.body, *done->back, currency_);
        } else {
            append_order(out.body, done->what, currency_);
        }
        if (done) out.replayed = done->replayed;
        out.idempotency_key = std::move(key);
        co_return out;
    }

    const std::shared_ptr<service> orders_;
    store& record_;
    const currency_code currency_;  ///< the deployment's
    uuid_generator keys_;
};

}  // namespace

void register_life_routes(http::router& routes, const http_dependencies& uses,
                          std::shared_ptr<service> orders) {
    using http::callers;
    using http::method;
    auto all = std::make_shared<life_routes>(uses, std::move(orders));
    routes.add({.verb = method::post,
                .pattern = "/v1/orders/{id}/payments",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    uses.io, [all](const http::request& asked) { return all->pay(asked); }}});
    routes.add({.verb = method::post,
                .pattern = "/v1/orders/{id}/cancel",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    uses.io, [all](const http::request& asked) { return all->cancel(asked); }}});
    routes.add({.verb = method::post,
                .pattern = "/v1/orders/{id}/refunds",
                .who_may = callers::anybody(),
                .handle = http::coroutine{
                    uses.io, [all](const http::request& asked) { return all->refund(asked); }}});
    routes.add({.verb = method::get,
                .pattern = "/v1/orders/{id}/changes",
                .who_may = callers::anybody(),
                .handle =
                    http::coroutine{
                        uses.io, [all](const http::request& asked) { return all->changes(asked); }},
                .kept_by = http::caching::its_person});
}

}  // namespace flashsale::order
