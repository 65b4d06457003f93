#pragma once

// What can be done with products, whatever the protocol: HTTP today.

#include <flashsale/stock.hpp>
#include <flashsale/stock/gate_decisions.hpp>
#include <flashsale/stock/gate_view.hpp>
#include <flashsale/stock/store.hpp>

namespace flashsale::stock {

/// A product and what is free of it at the gate now; unknown while the gate does not answer.
struct product_view {
    product what;
    std::optional<std::int64_t> available;
};

struct stock_change {
    uuid movement;
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    timestamp created_at;
    bool replayed = false;
};

/// One per worker, on its thread.
class service {
public:
    service(store& record, gate_decisions& units, gate_view& view, reserver& reserves)
        : store_(record), gate_(units), view_(view), reserver_(reserves) {}

    template <class T>
    using result = awaitable<std::expected<T, refusal>>;

    result<store::created> create(new_product what);
    result<product_view> find(std::int64_t id);
    result<std::vector<product_view>> list(std::int64_t after, std::int64_t limit);
    result<stock_change> restock(std::int64_t id, std::int64_t quantity, std::string key);
    result<stock_change> reduce(std::int64_t id, std::int64_t quantity, std::string key);

private:
    awaitable<std::expected<void, errc>> give(gate_product what);
    awaitable<std::vector<product_view>> with_available(std::vector<product> products);

    store& store_;
    gate_decisions& gate_;
    gate_view& view_;
    reserver& reserver_;
    uuid_generator ids_;
};

}  // namespace flashsale::stock
