// The order of reading: orders first, each given a movement if it has none, and supplied and stock
// of each product last, in one statement. So the two must fit: what is free at the gate is supplied
// less all that was taken, and stock is the sum of the movements.

#include "record_loader.hpp"

#include <spdlog/spdlog.h>

#include <flashsale/order/recovery.hpp>

#include <unordered_set>

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

}  // namespace

std::expected<record_loader::report, std::string> record_loader::run() {
    for (const auto step : {&record_loader::read_products, &record_loader::load_orders,
                            &record_loader::load_parked, &record_loader::load_reductions,
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
            for (const auto& one : page.rows)
                limited_.emplace(one.units.id, one.units.per_user_limit.has_value());
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
            if (auto mended = mend(page.rows); !mended) return mended;
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
                if (!arithmetic_.fits(units[i].id, page.rows[i].stock, (*free)[i]))
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
            return std::unexpected("product " + std::to_string(product.units.id) +
                                   " does not add up: given " +
                                   std::to_string(product.units.supplied) + ", in stock " +
                                   std::to_string(product.stock) + ", free by its orders " +
                                   std::to_string((*free)[i]));
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
    const auto refused = uses_.ledger.record(movements);
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
    std::erase_if(taken, [this](const stock::allocation& one) {
        if (limited_.contains(one.product_id)) return false;
        spdlog::error("order {} is of product {}, which nobody knows", one.order_id.to_string(),
                      one.product_id);
        return true;
    });
    const auto counts_buyers = [this](std::int64_t product) { return limited_.at(product); };
    if (auto loaded = uses_.gate.load(taken, counts_buyers); !loaded) return loaded;
    return uses_.breathe();
}

}  // namespace flashsale::recovery
