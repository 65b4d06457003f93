#include "sale_service.hpp"

#include <flashsale/stock/awaited.hpp>

namespace flashsale::stock {

sale_service::result<sale> sale_service::change(std::int64_t id,
                                                std::optional<std::int64_t> revision,
                                                const sale_patch& what) {
    const auto now = co_await store_.find(id);
    if (!now) co_return std::unexpected(now.error());
    if (revision && *revision != now->revision) co_return std::unexpected(errc::revision_changed);
    const sale_terms& was = now->terms;
    sale_terms to{what.name.value_or(was.name), what.starts_at.value_or(was.starts_at),
                  what.ends_at.value_or(was.ends_at),
                  what.payment_window_s.value_or(was.payment_window_s),
                  what.per_user_limit.value_or(was.per_user_limit)};
    if (to.starts_at && to.ends_at && *to.ends_at <= *to.starts_at)
        co_return std::unexpected(errc::window_not_ordered);
    auto changed = co_await store_.change(id, now->revision, std::move(to));
    if (!changed) co_return std::unexpected(changed.error());
    co_return co_await tell(std::move(*changed));
}

sale_service::result<sale> sale_service::set_state(std::int64_t id, sale_state to) {
    auto changed = co_await store_.set_state(id, to);
    if (!changed) co_return std::unexpected(changed.error());
    co_return co_await tell(std::move(*changed));
}

sale_service::result<sale> sale_service::tell(changed_sale what) {
    const auto told = co_await stock::give(gate_, std::move(what.products));
    // A product's own terms that the gate refuses are the business of the process that changed
    // them; the sale's go with them until they are taken back.
    if (!told && told.error() == errc::already_granted)
        co_return std::unexpected(errc::high_traffic);
    if (!told) co_return std::unexpected(told.error());
    co_return std::move(what.what);
}

}  // namespace flashsale::stock
