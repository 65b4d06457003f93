#include "order_walk.hpp"

#include <algorithm>

namespace flashsale::order {

user_walk::user_walk(store& record, std::int64_t user_id, std::vector<order> waiting)
    : store_(record), user_id_(user_id), waiting_(std::move(waiting)) {
    std::ranges::sort(waiting_, {}, &order::id);
}

awaitable<order_walk::page> user_walk::next() {
    std::vector<order> out;
    if (waiting_shown_ < waiting_.size()) {
        const std::size_t end =
            std::min(waiting_.size(), waiting_shown_ + static_cast<std::size_t>(walk_page_orders));
        out.assign(waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_shown_),
                   waiting_.begin() + static_cast<std::ptrdiff_t>(end));
        waiting_shown_ = end;
        co_return out;
    }
    // A page may have nothing but what was shown when it waited.
    while (out.empty() && !ended_) {
        auto found = co_await store_.list_by_key(user_id_, after_, walk_page_orders);
        if (!found) co_return std::unexpected(errc_of(found.error()));
        ended_ = std::ssize(*found) < walk_page_orders;
        if (!found->empty()) after_ = std::move(found->back().place);
        for (user_order& one : *found) {
            if (!std::ranges::binary_search(waiting_, one.what.id, {}, &order::id))
                out.push_back(one.what);
        }
    }
    co_return out;
}

awaitable<order_walk::page> product_walk::next() {
    std::vector<order> out;
    if (ended_) co_return out;
    auto found = co_await store_.list_of_product(product_id_, after_, walk_page_orders);
    if (!found) co_return std::unexpected(errc_of(found.error()));
    ended_ = std::ssize(*found) < walk_page_orders;
    if (!found->empty()) after_ = found->back().position;
    for (const recorded_order_view& one : *found)
        out.push_back(one.what);
    co_return out;
}

}  // namespace flashsale::order
