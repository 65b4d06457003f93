// A product's free units are what was supplied less what was taken: by orders, by reductions, and
// by parked events, which keep their units until a person decides. The ledger says the same in
// another way: `stock` is the sum of the product's movements. So both are added up, and where they
// differ nothing is opened.

#include "gate_loading.hpp"

#include <flashsale/order/allocation_of.hpp>

#include <unordered_map>
#include <unordered_set>

#include "probe.hpp"

namespace flashsale::app {

namespace {

constexpr std::size_t rows_per_page = 5'000;
constexpr std::uint32_t only_shard = 0, shards = 1;
constexpr const char* advice =
    ": nothing is sold from a record that does not add up; `flashsale audit` names what differs";

using id_set = std::unordered_set<stock::allocation_id, stock::allocation_id_hash>;

template <class T>
T must(std::expected<T, std::string> read) {
    if (!read) throw unavailable_error("the record cannot be read: " + read.error());
    return std::move(*read);
}

class loading {
public:
    loading(stock::memory_gate_owner& gate, stock::record_reader& products,
            order::record_reader& orders, bool remembers)
        : gate_(gate), products_(products), orders_(orders), remembers_(remembers) {}

    gate_loading_report run() {
        read_products();
        read_parked();
        load_orders();
        load_reductions();
        load_parked();
        return report_;
    }

    /// Throws unavailable_error where orders and ledger differ.
    void insist() const {
        if (!strays_.empty()) {
            throw unavailable_error("order " + strays_.front().to_string() +
                                    " is of a product that the stock database does not have" +
                                    advice);
        }
        for (const auto& [id, product] : expected_) {
            if (product.left_by_orders == product.stock) continue;
            throw unavailable_error("product " + std::to_string(id) +
                                    ": supplied less orders and reductions is " +
                                    std::to_string(product.left_by_orders) + ", the ledger says " +
                                    std::to_string(product.stock) + advice);
        }
    }

    /// Events of the log, those that are not in the record yet.
    void load_unrecorded(std::span<const events::event> all) {
        for (const events::event& one : all) {
            const auto taken = order::allocation_of(one);
            if (taken && seen_.insert(taken->id()).second) load(*taken, false);
        }
    }

private:
    void read_products() {
        std::optional<std::int64_t> after = 0;
        while (after) {
            auto page = must(products_.products(only_shard, shards, *after, rows_per_page));
            for (const auto& one : page.rows) {
                gate_.load(one.units);
                expected_.emplace(one.units.id, sums{one.units.supplied, one.stock});
            }
            report_.products += page.rows.size();
            after = page.next;
        }
    }

    /// There are few. One whose order is recorded too took its units once; whether the ledger
    /// knows of them is another matter, because a movement may be what was refused.
    void read_parked() {
        std::optional<uuid> after = uuid{};
        while (after) {
            auto page = must(orders_.parked(only_shard, shards, *after, rows_per_page));
            std::vector<stock::allocation_id> ids;
            for (stock::allocation& one : page.rows) {
                ids.push_back(one.id());
                parked_.emplace(one.id(), std::move(one));
            }
            for (const stock::allocation_id& id : must(products_.moved(ids)))
                parked_and_moved_.insert(id);
            after = page.next;
        }
    }

    void load_orders() {
        std::optional<stock::allocation_id> after = stock::allocation_id{};
        while (after) {
            auto page = must(orders_.orders(only_shard, shards, *after, rows_per_page));
            report_.orders += page.rows.size();
            for (const stock::allocation& one : page.rows) {
                const bool parked = parked_.erase(one.id()) > 0;
                if (parked) parked_with_order_.insert(one.id());
                load(one, !parked || parked_and_moved_.contains(one.id()));
            }
            after = page.next;
        }
    }

    void load_reductions() {
        std::optional<stock::allocation_id> after = stock::allocation_id{};
        while (after) {
            auto page = must(products_.reductions(only_shard, shards, *after, rows_per_page));
            report_.reductions += page.rows.size();
            for (const stock::allocation& one : page.rows) {
                parked_.erase(one.id());
                // Dropped while its order was being recorded: taken once.
                if (parked_with_order_.contains(one.id())) continue;
                load(one, true);
            }
            after = page.next;
        }
    }

    void load_parked() {
        report_.parked = parked_.size();
        for (const auto& [id, one] : parked_)
            load(one, parked_and_moved_.contains(id));
    }

    void load(const stock::allocation& taken, bool in_ledger) {
        if (remembers_) seen_.insert(taken.id());
        if (!gate_.load(taken)) {
            strays_.push_back(taken.order_id);
        } else if (in_ledger) {
            expected_.at(taken.product_id).left_by_orders -= taken.quantity;
        }
    }

    struct sums {
        std::int64_t left_by_orders;  ///< supplied less what orders and reductions took
        std::int64_t stock;
    };

    stock::memory_gate_owner& gate_;
    stock::record_reader& products_;
    order::record_reader& orders_;
    const bool remembers_;  ///< what was loaded, for load_unrecorded()
    id_set seen_;
    std::vector<uuid> strays_;
    std::unordered_map<std::int64_t, sums> expected_;
    std::unordered_map<stock::allocation_id, stock::allocation, stock::allocation_id_hash> parked_;
    id_set parked_and_moved_;
    id_set parked_with_order_;
    gate_loading_report report_;
};

}  // namespace

gate_loading_report load_gate(stock::memory_gate_owner& gate, stock::record_reader& products,
                              order::record_reader& orders) {
    loading all(gate, products, orders, false);
    const gate_loading_report report = all.run();
    all.insist();
    return report;
}

void load_gate_as_it_is(stock::memory_gate_owner& gate, stock::record_reader& products,
                        order::record_reader& orders, std::span<const events::event> unrecorded) {
    loading all(gate, products, orders, true);
    all.run();
    all.load_unrecorded(unrecorded);
}

}  // namespace flashsale::app
