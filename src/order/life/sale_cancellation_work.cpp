#include "sale_cancellation_work.hpp"

#include <algorithm>

#include <flashsale/stock/shard_of.hpp>

namespace flashsale::order {

namespace {

bool is_done_with(order_status status) {
    return status == order_status::cancelled || status == order_status::expired ||
           status == order_status::refunded;
}

}  // namespace

std::expected<bool, std::string> sale_cancellation_work::go_on() {
    if (uses_.sales == nullptr) return false;
    const auto job = uses_.sales->next();
    if (!job) return text_of(job.error());
    if (!*job) return false;
    for (const auto& product : (*job)->products) {
        const auto passed = pass(**job, product);
        if (!passed) return passed;
        if (*passed) return true;
    }
    const auto none = none_waits(**job);
    if (!none || !*none) return none;
    // What left the outbox before it was read is recorded by now.
    for (const auto& product : (*job)->products) {
        const auto more = uses_.sales->orders_of(product.id, product.after, 1);
        if (!more) return text_of(more.error());
        if (!more->empty()) return false;  // under way, or just recorded
    }
    if (const auto done = uses_.sales->finish((*job)->sale_id); !done) return text_of(done.error());
    return true;
}

std::expected<bool, std::string> sale_cancellation_work::pass(
    const running_cancellation& job, const running_cancellation::product& of) {
    const auto orders = uses_.sales->orders_of(of.id, of.after, orders_max_);
    if (!orders) return text_of(orders.error());
    if (orders->empty()) return false;
    if (auto ended = end(job, *orders); !ended) return std::unexpected(ended.error());
    std::vector<uuid> ids;
    for (const order_at& one : *orders)
        ids.push_back(one.what.id);
    const auto states = uses_.orders.find(ids);
    if (!states) return text_of(states.error());
    by_id<order_status> now;
    for (const order& one : *states)
        now.emplace(one.id, one.status);
    // What a payment is under way for is not past yet, nor is what comes behind it.
    cancellation_step step{job.sale_id, of.id, of.after, of.after, 0, 0, 0};
    for (const order_at& one : *orders) {
        const auto found = now.find(one.what.id);
        if (found == now.end() || !is_done_with(found->second)) break;
        step.to = one.place;
        step.cancelled += found->second == order_status::cancelled;
        step.refunded += found->second == order_status::refunded;
        step.expired += found->second == order_status::expired;
    }
    if (step.to == step.from) return false;
    if (const auto passed = uses_.sales->pass(step); !passed) return text_of(passed.error());
    return true;
}

done sale_cancellation_work::end(const running_cancellation& job,
                                 std::span<const order_at> orders) {
    std::vector<cancel_request> to_cancel;
    std::vector<asked_change> to_refund;
    for (const order_at& one : orders) {
        if (one.what.status == order_status::success || one.what.status == order_status::pending)
            to_cancel.push_back({one.what.id, job.reason, job.restock});
        if (one.what.status == order_status::paid)
            to_refund.push_back({.what = {.what = change_request::kind::refund,
                                          .order_id = one.what.id,
                                          .reason = job.reason,
                                          .restock = job.restock},
                                 .until = {},
                                 .record_at = {}});
    }
    if (!to_cancel.empty()) {
        const auto ended = uses_.orders.cancel(to_cancel);
        if (!ended) return text_of(ended.error());
        if (auto returned = units_.give_back(*ended); !returned) return returned;
        units_.remove_events(*ended);
    }
    batch refunds;
    for (asked_change& one : to_refund)
        refunds.push_back(&one);
    return money_.refund_orders(refunds);
}

std::expected<bool, std::string> sale_cancellation_work::none_waits(
    const running_cancellation& job) {
    using answer = std::expected<stock::outbox_pages::outbox_page, stock::errc>;
    const auto is_of_sale = [&job](std::int64_t product) {
        return std::ranges::find(job.products, product, &running_cancellation::product::id) !=
               job.products.end();
    };
    // All of a sale's products are at one shard.
    std::string cursor;
    do {
        const auto page = wait_for<answer>(uses_.wait, [&](auto done) {
            uses_.outbox.read_outbox(stock::shard_of(job.products.front().id, uses_.shards), cursor,
                                     std::move(done));
        });
        if (!page) return false;  // the next time
        for (const std::string& text : page->events) {
            const auto event = events::parse(text);
            const auto* order = event ? std::get_if<events::order_accepted>(&*event) : nullptr;
            if (order != nullptr && is_of_sale(order->product_id)) return false;
        }
        cursor = page->next_cursor;
    } while (!cursor.empty());
    return true;
}

}  // namespace flashsale::order
