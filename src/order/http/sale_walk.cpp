#include "sale_walk.hpp"

#include <algorithm>

namespace flashsale::order {

sale_walk::sale_walk(store& record, std::vector<std::int64_t> products, sale_place from)
    : store_(record), products_(std::move(products)), place_(from) {
    at_ = static_cast<std::size_t>(std::ranges::lower_bound(products_, from.product_id) -
                                   products_.begin());
    if (at_ < products_.size() && products_[at_] != from.product_id) place_ = {products_[at_], 0};
}

awaitable<order_walk::page> sale_walk::next(std::int64_t orders_max) {
    std::vector<order> out;
    while (at_ < products_.size() && std::ssize(out) < orders_max) {
        const std::int64_t wanted = orders_max - std::ssize(out);
        auto found = co_await store_.list_of_product(place_.product_id, place_.after, wanted);
        if (!found) co_return std::unexpected(errc_of(found.error()));
        if (!found->empty()) place_.after = found->back().position;
        for (const recorded_order_view& one : *found)
            out.push_back(one.what);
        if (std::ssize(*found) < wanted && ++at_ < products_.size()) place_ = {products_[at_], 0};
    }
    co_return out;
}

}  // namespace flashsale::order
