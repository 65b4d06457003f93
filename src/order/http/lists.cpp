#include "lists.hpp"

#include <flashsale/stock/awaited.hpp>

#include <algorithm>
#include <unordered_set>

namespace flashsale::order {

namespace {

/// Newest first, each once: what was recorded between the two readings is in both, and the record
/// knows more.
std::vector<order> merge(std::vector<order> recorded, const std::vector<order>& waiting,
                         const std::optional<uuid>& before, std::int64_t limit) {
    std::unordered_set<uuid, uuid_hash> there;
    for (const order& one : recorded)
        there.insert(one.id);
    for (const order& one : waiting) {
        if ((!before || one.id < *before) && !there.contains(one.id)) recorded.push_back(one);
    }
    std::ranges::sort(recorded, std::greater<>(), &order::id);
    if (std::ssize(recorded) > limit) recorded.resize(static_cast<std::size_t>(limit));
    return recorded;
}

/// Of a product's orders, which it has when they are recorded.
std::optional<timestamp> complete_until(const outbox_view::answer& waiting,
                                        std::int64_t product_id) {
    if (!waiting) return std::nullopt;
    const auto oldest = waiting->oldest_of_product.find(product_id);
    if (oldest == waiting->oldest_of_product.end()) return waiting->read_at;
    return std::min(waiting->read_at, oldest->second);
}

}  // namespace

awaitable<std::expected<void, failure>> order_lists::require_user(std::int64_t user_id) {
    const auto exists = co_await await_callback<std::expected<bool, user::errc>>(
        [&](auto done) { users_.exists(user_id, std::move(done)); });
    if (!exists) co_return std::unexpected(failure(errc_of(exists.error())));
    if (!*exists) co_return std::unexpected(failure(errc::user_not_found));
    co_return std::expected<void, failure>();
}

awaitable<std::expected<void, failure>> order_lists::require_product(std::int64_t product_id) {
    std::vector<std::int64_t> asked{product_id};
    const auto known = co_await stock::available(units_, std::move(asked));
    if (known && !known->front())
        co_return std::unexpected(failure(stock::refusal(stock::errc::product_not_found)));
    co_return std::expected<void, failure>();
}

awaitable<std::expected<user_orders, failure>> order_lists::of_user(std::int64_t user_id,
                                                                    std::optional<uuid> before,
                                                                    std::int64_t limit) {
    if (auto there = co_await require_user(user_id); !there)
        co_return std::unexpected(std::move(there.error()));
    // The outbox before the database: whatever leaves it meanwhile is there.
    const auto waiting = co_await waiting_.read();
    auto recorded = co_await store_.list(user_id, before, limit);
    if (!recorded) co_return std::unexpected(failure(errc_of(recorded.error())));
    user_orders out{std::move(*recorded), std::nullopt};
    if (!waiting) co_return out;
    out.complete_until = waiting->read_at;
    if (const auto mine = waiting->of_user.find(user_id); mine != waiting->of_user.end())
        out.items = merge(std::move(out.items), mine->second, before, limit);
    co_return out;
}

awaitable<std::expected<product_orders, failure>> order_lists::of_product(std::int64_t product_id,
                                                                          std::int64_t after,
                                                                          std::int64_t limit) {
    const auto waiting = co_await waiting_.read();
    auto recorded = co_await store_.list_of_product(product_id, after, limit);
    if (!recorded) co_return std::unexpected(failure(errc_of(recorded.error())));
    if (recorded->empty()) {
        if (auto there = co_await require_product(product_id); !there)
            co_return std::unexpected(std::move(there.error()));
    }
    co_return product_orders{std::move(*recorded), complete_until(waiting, product_id)};
}

awaitable<std::expected<begun_walk, failure>> order_lists::walk_of_user(std::int64_t user_id) {
    if (auto there = co_await require_user(user_id); !there)
        co_return std::unexpected(std::move(there.error()));
    const auto waiting = co_await waiting_.read();
    std::vector<order> unrecorded;
    if (waiting) {
        const auto mine = waiting->of_user.find(user_id);
        if (mine != waiting->of_user.end()) unrecorded = mine->second;
    }
    begun_walk out;
    if (waiting) out.complete_until = waiting->read_at;
    out.rest = std::make_unique<user_walk>(store_, user_id, std::move(unrecorded));
    auto first = co_await out.rest->next();
    if (!first) co_return std::unexpected(failure(first.error()));
    out.first = std::move(*first);
    co_return out;
}

awaitable<std::expected<begun_walk, failure>> order_lists::walk_of_product(
    std::int64_t product_id) {
    const auto waiting = co_await waiting_.read();
    begun_walk out;
    out.complete_until = complete_until(waiting, product_id);
    out.rest = std::make_unique<product_walk>(store_, product_id);
    auto first = co_await out.rest->next();
    if (!first) co_return std::unexpected(failure(first.error()));
    if (first->empty()) {
        if (auto there = co_await require_product(product_id); !there)
            co_return std::unexpected(std::move(there.error()));
    }
    out.first = std::move(*first);
    co_return out;
}

}  // namespace flashsale::order
