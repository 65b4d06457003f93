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
    // Terms that the gate refuses are the business of the process that changed them.
    if (!given && given.error() != errc::already_granted) co_return std::unexpected(given.error());
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

service::result<product> service::change(std::int64_t id, std::optional<std::int64_t> revision,
                                         const product_patch& what) {
    const auto now = co_await store_.find(id);
    if (!now) co_return std::unexpected(now.error());
    if (now->halted == halt::archived) co_return std::unexpected(errc::product_archived);
    if (revision && *revision != now->revision) co_return std::unexpected(errc::revision_changed);
    if (now->sale_id != 0 && what.has_window()) co_return std::unexpected(errc::window_of_sale);
    product_terms to{what.name.value_or(now->name), what.price.value_or(now->price),
                     what.per_user_limit.value_or(now->per_user_limit),
                     what.sale_starts_at.value_or(now->sale_starts_at),
                     what.sale_ends_at.value_or(now->sale_ends_at)};
    if (to.sale_starts_at && to.sale_ends_at && *to.sale_ends_at <= *to.sale_starts_at)
        co_return std::unexpected(errc::window_not_ordered);
    auto changed = co_await terms_.change(id, now->revision, std::move(to));
    if (!changed) co_return std::unexpected(changed.error());
    auto told = co_await tell(std::move(*changed));
    if (told || told.error() != errc::already_granted) co_return told;
    auto undone = co_await terms_.undo(id, now->revision + 1);
    if (!undone) co_return std::unexpected(undone.error());
    const auto back = co_await tell(std::move(*undone));
    co_return std::unexpected(back ? refusal(errc::already_granted) : back.error());
}

service::result<product> service::withdraw(std::int64_t id) {
    auto withdrawn = co_await terms_.withdraw(id);
    if (!withdrawn) co_return std::unexpected(withdrawn.error());
    const std::int64_t revision = withdrawn->what.revision;
    auto told = co_await tell(std::move(*withdrawn));
    if (told || told.error() != errc::already_granted) co_return told;
    auto archived = co_await terms_.undo(id, revision);
    if (!archived) co_return std::unexpected(archived.error());
    co_return co_await tell(std::move(*archived));
}

service::result<product> service::tell(changed_product what) {
    gate_product units = units_of(what.what);
    units.epoch = what.epoch;
    const auto given = co_await give(units);
    if (!given) co_return std::unexpected(given.error());
    co_return std::move(what.what);
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
