// The order of reading: orders first, ended ones too, each given a movement if it has none; then
// what buyers have returned; and supplied, which counts what has returned, and stock of each
// product last, in one statement. So the two must fit: what is free at the gate is supplied less
// all that was taken, and stock is the sum of the movements.
//
// What is free at the gate: supplied less what was taken by orders, by reductions, and by parked
// events, which keep their units until a person decides. An event that is parked and recorded too
// took them once, and is loaded as its order.

#include <flashsale/recovery/record_loader.hpp>

#include <spdlog/spdlog.h>

#include <flashsale/order/recovery.hpp>

#include <unordered_map>
#include <unordered_set>

#include "rebuild_plan.hpp"

namespace flashsale::recovery {

namespace {

using id_set = std::unordered_set<stock::allocation_id, stock::allocation_id_hash>;

/// Calls `each` with every page from `first` on.
template <class Place, class Read, class Each>
std::expected<void, std::string> for_each_page(Place first, Read read, Each each) {
    std::optional<Place> after = first;
    while (after) {
        auto page = read(*after);
        if (!page) return std::unexpected(page.error());
        after = page->next;
        if (auto done = each(*page); !done) return done;
    }
    return {};
}

class record_loader {
public:
    explicit record_loader(const record_load& uses) : uses_(uses) {}

    std::expected<loaded_record, std::string> run();

private:
    using done = std::expected<void, std::string>;
    using unmoved = std::vector<const stock::allocation*>;

    done read_products();
    done read_parked();
    done load_orders();
    done load_parked();
    done load_reductions();
    done load_returns();
    done load_products();
    done load_strays();
    done mend(const std::vector<stock::allocation>& orders);
    done note_unmoved(const std::vector<stock::allocation>& parked);
    std::expected<unmoved, std::string> without_movement(
        const std::vector<stock::allocation>& taken);
    /// Those of products that are known.
    done load(std::vector<stock::allocation> taken);
    bool mends() const { return uses_.where_differing == differing::mended; }

    const record_load& uses_;
    std::unordered_map<std::int64_t, stock::counting> counts_;  // of every product
    id_set parked_, parked_with_order_;                         // there are few
    /// Loaded as what they were to become: one that was dropped is among reductions() too.
    id_set loaded_parked_;
    rebuild_arithmetic arithmetic_;
    std::vector<stock::record_reader::product> differing_;
    loaded_record report_;
};

std::string does_not_add_up(const stock::record_reader::product& one, std::int64_t free) {
    return "product " + std::to_string(one.units.id) + " does not add up: supplied " +
           std::to_string(one.units.supplied) + ", in stock " + std::to_string(one.stock) +
           ", free by its orders " + std::to_string(free);
}

std::expected<loaded_record, std::string> record_loader::run() {
    for (const auto step : {&record_loader::read_products, &record_loader::read_parked,
                            &record_loader::load_orders, &record_loader::load_parked,
                            &record_loader::load_reductions, &record_loader::load_returns,
                            &record_loader::load_products, &record_loader::load_strays}) {
        if (auto done = (this->*step)(); !done) return std::unexpected(done.error());
    }
    return report_;
}

record_loader::done record_loader::read_products() {
    return for_each_page(
        std::int64_t{0},
        [this](std::int64_t after) {
            return uses_.products.products(uses_.shard, uses_.shards, after, uses_.rows_max);
        },
        [this](const stock::record_reader::product_page& page) -> done {
            std::vector<stock::gate_product> units;
            for (const auto& one : page.rows) {
                counts_.emplace(one.units.id, stock::counting{one.units.counts_buyers(),
                                                              one.units.counting_sale()});
                units.push_back(one.units);
            }
            if (mends()) return {};
            if (const auto loaded = uses_.gate.load(units); !loaded)
                return std::unexpected(loaded.error());
            return {};
        });
}

record_loader::done record_loader::read_parked() {
    return for_each_page(
        uuid{},
        [this](const uuid& after) {
            return uses_.orders.parked(uses_.shard, uses_.shards, after, uses_.rows_max);
        },
        [this](const order::record_reader::event_page& page) -> done {
            for (const stock::allocation& one : page.rows)
                parked_.insert(one.id());
            return {};
        });
}

record_loader::done record_loader::load_orders() {
    return for_each_page(
        stock::allocation_id{},
        [this](const stock::allocation_id& after) {
            return uses_.orders.orders(uses_.shard, uses_.shards, after, uses_.rows_max);
        },
        [this](order::record_reader::order_page& page) -> done {
            report_.orders += page.rows.size();
            if (mends()) {
                if (auto mended = mend(page.rows); !mended) return mended;
            }
            for (const stock::allocation& one : page.rows) {
                if (parked_.contains(one.id())) parked_with_order_.insert(one.id());
            }
            return load(std::move(page.rows));
        });
}

record_loader::done record_loader::load_parked() {
    return for_each_page(
        uuid{},
        [this](const uuid& after) {
            return uses_.orders.parked(uses_.shard, uses_.shards, after, uses_.rows_max);
        },
        [this](order::record_reader::event_page& page) -> done {
            report_.parked += page.rows.size();
            if (auto noted = note_unmoved(page.rows); !noted) return noted;
            for (const stock::allocation& one : page.rows)
                loaded_parked_.insert(one.id());
            std::erase_if(page.rows, [this](const stock::allocation& one) {
                return parked_with_order_.contains(one.id());
            });
            return load(std::move(page.rows));
        });
}

record_loader::done record_loader::load_reductions() {
    return for_each_page(
        stock::allocation_id{},
        [this](const stock::allocation_id& after) {
            return uses_.products.reductions(uses_.shard, uses_.shards, after, uses_.rows_max);
        },
        [this](stock::record_reader::allocation_page& page) -> done {
            std::erase_if(page.rows, [this](const stock::allocation& one) {
                if (!loaded_parked_.contains(one.id())) return false;
                arithmetic_.has_movement(one);
                return true;
            });
            report_.reductions += page.rows.size();
            return load(std::move(page.rows));
        });
}

/// After all that was taken. One that is recorded later comes as it does to an open gate.
record_loader::done record_loader::load_returns() {
    return for_each_page(
        stock::record_reader::buyer{},
        [this](const stock::record_reader::buyer& after) {
            return uses_.products.buyer_returns_of(uses_.shard, uses_.shards, after,
                                                   uses_.rows_max);
        },
        [this](stock::record_reader::buyer_page& page) -> done {
            std::erase_if(page.rows, [this](const stock::buyer_returns& one) {
                const auto known = counts_.find(one.product_id);
                return known == counts_.end() || !known->second.buyers;
            });
            for (stock::buyer_returns& one : page.rows)
                one.sale_id = counts_.at(one.product_id).sale;
            if (auto loaded = uses_.gate.load(page.rows); !loaded) return loaded;
            return uses_.breathe();
        });
}

record_loader::done record_loader::load_products() {
    return for_each_page(
        std::int64_t{0},
        [this](std::int64_t after) {
            return uses_.products.products(uses_.shard, uses_.shards, after, uses_.rows_max);
        },
        [this](const stock::record_reader::product_page& page) -> done {
            std::vector<stock::gate_product> units;
            for (const auto& one : page.rows)
                units.push_back(one.units);
            const auto free = uses_.gate.load(units);
            if (!free) return std::unexpected(free.error());
            for (std::size_t i = 0; i < units.size(); ++i) {
                if (uses_.where_differing == differing::taken ||
                    arithmetic_.fits(units[i].id, page.rows[i].stock, (*free)[i]))
                    continue;
                if (!mends()) return std::unexpected(does_not_add_up(page.rows[i], (*free)[i]));
                differing_.push_back(page.rows[i]);
            }
            report_.products += units.size();
            return uses_.breathe();
        });
}

/// A sale in the ledger whose order is not known: it is for a person to find out; its units are not
/// sold again.
record_loader::done record_loader::load_strays() {
    if (differing_.empty()) return {};
    const auto found = for_each_page(
        stock::allocation_id{},
        [this](const stock::allocation_id& after) {
            return uses_.products.sales(uses_.shard, uses_.shards, after, uses_.rows_max);
        },
        [&](stock::record_reader::allocation_page& page) -> done {
            std::vector<uuid> ids;
            for (const stock::allocation& one : page.rows)
                ids.push_back(one.order_id);
            const auto recorded = uses_.orders.recorded(ids);
            if (!recorded) return std::unexpected(recorded.error());
            const std::unordered_set<uuid, uuid_hash> known(recorded->begin(), recorded->end());
            std::erase_if(page.rows, [&](const auto& one) { return known.contains(one.order_id); });
            for (const stock::allocation& one : page.rows) {
                spdlog::error("movement {} of product {} has no order", one.order_id.to_string(),
                              one.product_id);
            }
            return load(std::move(page.rows));
        });
    if (!found) return found;

    std::vector<stock::gate_product> units;
    for (const auto& one : differing_)
        units.push_back(one.units);
    for (std::size_t begin = 0; begin < units.size(); begin += uses_.rows_max) {
        const auto count = std::min(uses_.rows_max, units.size() - begin);
        const auto free = uses_.gate.load(std::span(units).subspan(begin, count));
        if (!free) return std::unexpected(free.error());
        for (std::size_t i = 0; i < count; ++i) {
            const auto& product = differing_[begin + i];
            if (arithmetic_.fits(product.units.id, product.stock, (*free)[i])) continue;
            return std::unexpected(does_not_add_up(product, (*free)[i]));
        }
    }
    return {};
}

// ---- movements

std::expected<record_loader::unmoved, std::string> record_loader::without_movement(
    const std::vector<stock::allocation>& taken) {
    std::vector<stock::allocation_id> ids;
    ids.reserve(taken.size());
    for (const stock::allocation& one : taken)
        ids.push_back(one.id());
    const auto moved = uses_.products.moved(ids);
    if (!moved) return std::unexpected(moved.error());
    unmoved out;
    const id_set known(moved->begin(), moved->end());
    for (const stock::allocation& one : taken) {
        if (!known.contains(one.id())) out.push_back(&one);
    }
    return out;
}

record_loader::done record_loader::mend(const std::vector<stock::allocation>& orders) {
    const auto missing = without_movement(orders);
    if (!missing) return std::unexpected(missing.error());
    if (missing->empty()) return {};
    std::vector<stock::movement> movements;
    for (const stock::allocation* one : *missing)
        movements.push_back(order::movement_of(*one));
    const auto refused = uses_.ledger->record(movements);
    if (!refused) return std::unexpected("stock database: " + refused.error());
    report_.mended += movements.size() - refused->size();
    id_set hopeless;
    for (const auto& one : *refused) {
        if (one.given_back) {
            loaded_parked_.insert(one.of);
            continue;
        }
        spdlog::error("order {} has no movement, and gets none: {}", one.of.order_id.to_string(),
                      one.reason);
        hopeless.insert(one.of);
    }
    for (const stock::allocation* one : *missing) {
        if (hopeless.contains(one->id())) arithmetic_.has_no_movement(*one);
    }
    return {};
}

record_loader::done record_loader::note_unmoved(const std::vector<stock::allocation>& parked) {
    const auto missing = without_movement(parked);
    if (!missing) return std::unexpected(missing.error());
    for (const stock::allocation* one : *missing)
        arithmetic_.has_no_movement(*one);
    return {};
}

// ---- into the gate

record_loader::done record_loader::load(std::vector<stock::allocation> taken) {
    const auto stray = [this](const stock::allocation& one) {
        return !counts_.contains(one.product_id);
    };
    const auto found = std::ranges::find_if(taken, stray);
    if (found != taken.end() && uses_.where_differing == differing::refused)
        return std::unexpected("order " + found->order_id.to_string() +
                               " is of a product that the stock database does not have");
    std::erase_if(taken, [&](const stock::allocation& one) {
        if (!stray(one)) return false;
        if (mends())
            spdlog::error("order {} is of product {}, which the stock database does not have",
                          one.order_id.to_string(), one.product_id);
        return true;
    });
    const auto counts = [this](std::int64_t product) { return counts_.at(product); };
    if (auto loaded = uses_.gate.load(taken, counts); !loaded) return loaded;
    return uses_.breathe();
}

}  // namespace

std::expected<loaded_record, std::string> load_record(const record_load& uses) {
    return record_loader(uses).run();
}

}  // namespace flashsale::recovery
