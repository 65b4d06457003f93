#include "lists.hpp"

#include <algorithm>

namespace flashsale::order {

namespace {

/// Newest first, each once: what was recorded between the two readings is in both.
std::vector<order> merge(std::vector<order> recorded, const std::vector<order>& waiting,
                         const std::optional<uuid>& before, std::int64_t limit) {
    for (const order& one : waiting) {
        if (!before || one.id < *before) recorded.push_back(one);
    }
    std::ranges::sort(recorded, std::greater<>(), &order::id);
    const auto repeats = std::ranges::unique(recorded, {}, &order::id);
    recorded.erase(repeats.begin(), repeats.end());
    if (std::ssize(recorded) > limit) recorded.resize(static_cast<std::size_t>(limit));
    return recorded;
}

}  // namespace

awaitable<std::expected<user_orders, failure>> order_lists::of_user(std::int64_t user_id,
                                                                    std::optional<uuid> before,
                                                                    std::int64_t limit) {
    const auto exists = co_await await_callback<std::expected<bool, user::errc>>(
        [&](auto done) { users_.exists(user_id, std::move(done)); });
    if (!exists) co_return std::unexpected(failure(errc_of(exists.error())));
    if (!*exists) co_return std::unexpected(failure(errc::user_not_found));
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
        using free_units = std::expected<std::vector<std::optional<std::int64_t>>, stock::errc>;
        const auto known = co_await await_callback<free_units>(
            [&](auto done) { gate_.available({product_id}, std::move(done)); });
        if (known && !known->front())
            co_return std::unexpected(failure(stock::refusal(stock::errc::product_not_found)));
    }
    product_orders out{std::move(*recorded), std::nullopt};
    if (!waiting) co_return out;
    out.complete_until = waiting->read_at;
    if (const auto oldest = waiting->oldest_of_product.find(product_id);
        oldest != waiting->oldest_of_product.end())
        out.complete_until = std::min(waiting->read_at, oldest->second);
    co_return out;
}

}  // namespace flashsale::order
