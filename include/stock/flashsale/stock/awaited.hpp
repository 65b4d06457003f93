#pragma once

// The questions to a gate that are not on the order path, for coroutines.

#include "flashsale/stock/gate_decisions.hpp"
#include "flashsale/stock/gate_outbox.hpp"
#include "flashsale/stock/gate_view.hpp"

namespace flashsale::stock {

/// What has no answer but an error, or this.
template <class T>
using awaited = awaitable<std::expected<T, errc>>;

inline awaited<void> give(gate_decisions& gate, std::vector<gate_product> products) {
    return await_callback<std::expected<void, errc>>(
        [&gate, products = std::move(products)](auto done) mutable {
            gate.give(std::move(products), std::move(done));
        });
}

inline awaited<std::optional<std::string>> find_event(gate_outbox& outbox, uuid id) {
    return await_callback<std::expected<std::optional<std::string>, errc>>(
        [&outbox, id](auto done) { outbox.find_event(id, std::move(done)); });
}

inline awaited<outbox_pages::outbox_page> read_outbox(outbox_pages& outbox, std::uint32_t shard,
                                                      std::string cursor) {
    return await_callback<std::expected<outbox_pages::outbox_page, errc>>(
        [&outbox, shard, cursor = std::move(cursor)](auto done) mutable {
            outbox.read_outbox(shard, std::move(cursor), std::move(done));
        });
}

inline awaited<gate_levels::levels> read_levels(gate_levels& gate, std::uint32_t shard,
                                                std::vector<std::int64_t> product_ids) {
    return await_callback<std::expected<gate_levels::levels, errc>>(
        [&gate, shard, ids = std::move(product_ids)](auto done) mutable {
            gate.read_levels(shard, std::move(ids), std::move(done));
        });
}

inline awaited<std::vector<std::optional<std::int64_t>>> available(
    gate_view& gate, std::vector<std::int64_t> product_ids) {
    return await_callback<std::expected<std::vector<std::optional<std::int64_t>>, errc>>(
        [&gate, ids = std::move(product_ids)](auto done) mutable {
            gate.available(std::move(ids), std::move(done));
        });
}

}  // namespace flashsale::stock
