#include "service.hpp"

#include <flashsale/stock/awaited.hpp>

#include "store_rules.hpp"

namespace flashsale::stock {

awaitable<std::expected<void, errc>> service::give(gate_product what) {
    return stock::give(gate_, std::vector<gate_product>{what});
}

// Units go up in the record first. If the gate cannot be told now, the client is, and the same key
// tells the gate again; the units are not lost, only not for sale yet.

service::result<store::created> service::create(new_product what) {
    auto made = co_await store_.create(std::move(what));
    if (!made) co_return made;
    const auto given = co_await give(units_of(made->what));
    if (!given) co_return std::unexpected(given.error());
    co_return made;
}

service::result<stock_change> service::restock(std::int64_t id, std::int64_t quantity,
                                               std::string key) {
    const uuid movement = ids_.make();
    auto recorded = co_await store_.restock(id, quantity, std::move(key), movement);
    if (!recorded) co_return std::unexpected(recorded.error());
    const auto given = co_await give(recorded->units);
    if (!given) co_return std::unexpected(given.error());
    co_return stock_change{recorded->movement, id, quantity, recorded->created_at,
                           recorded->replayed};
}

service::result<stock_change> service::reduce(std::int64_t id, std::int64_t quantity,
                                              std::string key) {
    reserve_request request;
    request.what = operation::reduction;
    request.product_id = id;
    request.quantity = quantity;
    request.idempotency_key = key;  // of this frame, which waits
    auto taken = co_await await_callback<std::expected<accepted, refusal>>(
        [&](auto done) { reserver_.reserve(request, std::move(done)); });
    if (!taken) co_return std::unexpected(taken.error());
    co_return stock_change{taken->id, id, quantity, taken->id.time(), taken->replayed};
}

service::result<product_view> service::find(std::int64_t id) {
    auto found = co_await store_.find(id);
    if (!found) co_return std::unexpected(found.error());
    std::vector<product> one;
    one.push_back(std::move(*found));
    auto views = co_await with_available(std::move(one));
    co_return std::move(views.front());
}

service::result<std::vector<product_view>> service::list(std::int64_t after, std::int64_t limit) {
    auto found = co_await store_.list(after, limit);
    if (!found) co_return std::unexpected(found.error());
    co_return co_await with_available(std::move(*found));
}

awaitable<std::vector<product_view>> service::with_available(std::vector<product> products) {
    std::vector<std::int64_t> ids;
    for (const product& one : products)
        ids.push_back(one.id);
    auto free = co_await stock::available(view_, std::move(ids));
    std::vector<product_view> views;
    for (std::size_t i = 0; i < products.size(); ++i) {
        views.push_back({std::move(products[i]), free ? (*free)[i] : std::nullopt});
    }
    co_return views;
}

}  // namespace flashsale::stock
