#pragma once

// What can be done with products, whatever the protocol: HTTP today.

#include <flashsale/stock.hpp>
#include <flashsale/stock/gate_decisions.hpp>
#include <flashsale/stock/gate_view.hpp>
#include <flashsale/stock/store.hpp>
#include <flashsale/stock/terms.hpp>

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

/// What of a product is to be another; what is not there stays.
struct product_patch {
    std::optional<std::string> name;
    std::optional<std::int64_t> price;
    std::optional<std::optional<std::int64_t>> per_user_limit;
    std::optional<std::optional<timestamp>> sale_starts_at;
    std::optional<std::optional<timestamp>> sale_ends_at;

    bool has_window() const { return sale_starts_at || sale_ends_at; }
};

/// One per worker, on its thread.
class service {
public:
    service(store& record, terms_store& terms, gate_decisions& units, gate_view& view,
            reserver& reserves)
        : store_(record), terms_(terms), gate_(units), view_(view), reserver_(reserves) {}

    template <class T>
    using result = awaitable<std::expected<T, refusal>>;

    result<store::created> create(new_product what);
    result<product_view> find(std::int64_t id);
    /// The answer comes when the open gate has the change: from then on nothing is granted by what
    /// was before. An error below errc's line leaves the change as it is in the record, and the
    /// gate is told of it later. `revision`: nullopt stands for whatever is there.
    result<product> change(std::int64_t id, std::optional<std::int64_t> revision,
                           const product_patch& what);
    /// As above. Deleted, if nothing was ever granted of it; else archived.
    result<product> withdraw(std::int64_t id);
    result<std::vector<product_view>> list(std::int64_t after, std::int64_t limit);
    result<stock_change> restock(std::int64_t id, std::int64_t quantity, std::string key);
    result<stock_change> reduce(std::int64_t id, std::int64_t quantity, std::string key);

private:
    awaitable<std::expected<void, errc>> give(gate_product what);
    result<product> tell(changed_product what);
    awaitable<std::vector<product_view>> with_available(std::vector<product> products);

    store& store_;
    terms_store& terms_;
    gate_decisions& gate_;
    gate_view& view_;
    reserver& reserver_;
    uuid_generator ids_;
};

}  // namespace flashsale::stock
