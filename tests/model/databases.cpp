#include "databases.hpp"

#include <flashsale/order/allocation_of.hpp>

#include "ledger/returned_lines.hpp"
#include "lives.hpp"
#include "process.hpp"
#include "promises.hpp"

namespace flashsale::model {

void database::travel(int process_number, std::uint64_t life, std::uint64_t kept,
                      std::move_only_function<void(bool)> what) {
    in_.after(in_.transit(), [this, process_number, life, kept, what = std::move(what)]() mutable {
        arrive(process_number, life, kept, std::move(what));
    });
}

void database::arrive(int process_number, std::uint64_t life, std::uint64_t kept,
                      std::move_only_function<void(bool)> what) {
    if (in_.now() < stalled_until_) {
        in_.after(stalled_until_ - in_.now() + in_.random.between(0, 3 * ms),
                  [this, process_number, life, kept, what = std::move(what)]() mutable {
                      arrive(process_number, life, kept, std::move(what));
                  });
        return;
    }
    // A process that died while its statement was on its way: the server may have it already.
    const bool abandoned = in_.processes[static_cast<std::size_t>(process_number)]->life() != life;
    if (up() && !(abandoned && in_.random.chance(50))) {
        const bool reply_lost = in_.now() < losing_until_ && in_.random.chance(40);
        if (reply_lost) in_.tell(name_, "its reply to p{} is lost", process_number);
        what(reply_lost);
    }
    process::call_later(in_, process_number, life, kept, in_.transit());
}

void database::stall(micros time) {
    in_.tell(name_, "answers nothing for {} ms", time / ms);
    stalled_until_ = std::max(stalled_until_, in_.now() + time);
}

void database::go_down(micros time) {
    in_.tell(name_, "is down for {} ms", time / ms);
    down_until_ = std::max(down_until_, in_.now() + time);
    ++times_down_;
}

database::session database::session_of(int process_number, std::uint64_t life) const {
    const auto drops = drops_.find({process_number, life});
    return {process_number, life, times_down_ + (drops == drops_.end() ? 0 : drops->second)};
}

bool database::lives(const session& one) const {
    // That of a statement which arrives behind the death of its process ends at once.
    return !ended_.contains({one.process, one.life}) && session_of(one.process, one.life) == one;
}

void database::drop_sessions(int process_number, std::uint64_t life) {
    ++drops_[{process_number, life}];
    if (in_.processes[static_cast<std::size_t>(process_number)]->life() != life)
        ended_.insert({process_number, life});
}

bool stock_database::is_leased() const {
    return leased && leased->until >= in_.now() && lives(leased->by);
}

order_database::order_database(world& in)
    : database(in, "order database"), life(std::make_unique<life_tables>(in)) {}
order_database::~order_database() = default;

order::recording_report order_database::record(const std::vector<events::order_accepted>& all,
                                               std::uint64_t believed) {
    order::recording_report out;
    std::vector<events::event> older;
    for (const events::order_accepted& one : all) {
        if (one.epoch < believed && !in_.is_without(guard::epoch)) {
            older.emplace_back(one);
            out.late.push_back(one.id);
            continue;
        }
        const stock::allocation taken = order::allocation_of(one);
        if (orders.contains(taken.id())) {
            ++out.duplicates;
            continue;
        }
        if (by_key.try_emplace({one.user_id, one.product_id, one.idempotency_key}, one.id).second) {
            orders.emplace(taken.id(), taken);
            life->add(taken, one.created_at);
            ++out.fresh;
            continue;
        }
        park(one.id, events::text_of(one), "another order has its idempotency key");
        out.parked.push_back(one.id);
    }
    keep_late(older);
    return out;
}

void order_database::keep_late(const std::vector<events::event>& all) {
    for (const events::event& one : all) {
        const uuid& id = events::base_of(one).id;
        if (has(id) || parked.contains(id)) continue;
        in_.tell("order database", "keeps {} for later", short_id(id.to_string()));
        late.try_emplace(id, one);
    }
}

void order_database::park(const uuid& id, std::string event, std::string reason, bool holds_units) {
    in_.tell("order database", "parks {}: {}", short_id(id.to_string()), reason);
    parked.try_emplace(id, std::move(event), std::move(reason), holds_units);
}

std::vector<stock::refused_movement> stock_database::record(const std::vector<stock::movement>& all,
                                                            std::uint64_t believed) {
    std::vector<stock::refused_movement> out;
    for (const stock::movement& one : all) {
        const bool known = movements.contains(one.taken());
        if (known && !in_.is_without(guard::returning)) continue;
        if (!known && one.what == stock::operation::reduction && one.epoch < believed &&
            !in_.is_without(guard::epoch)) {
            out.push_back({one.taken(), "older than the fence", true});
            continue;
        }
        const auto product = products.find(one.product_id);
        const bool key_taken =
            one.what == stock::operation::reduction &&
            reductions_by_key.try_emplace({one.product_id, one.idempotency_key}, one.id)
                    .first->second != one.id;
        if (product == products.end() || key_taken || product->second.stock + one.delta < 0) {
            out.push_back({one.taken(), "the stock database refuses it"});
            continue;
        }
        product->second.stock += one.delta;
        movements.try_emplace(one.taken(), one);
    }
    return out;
}

stock::gate_product units_of(const product_row& row) {
    stock::gate_product out;
    out.id = row.id;
    out.supplied = row.supplied;
    out.price = price;
    out.per_user_limit = row.limit;
    out.payment_window_s = row.payment_window_s;
    return out;
}

stock::recorded_returns stock_database::record_returns(const std::vector<stock::ended_line>& all) {
    stock::recorded_returns out;
    std::set<std::int64_t> told;
    std::set<std::pair<std::int64_t, std::int64_t>> told_buyers;
    for (const stock::ended_line& one : all) {
        const auto id = one.taken.taken();
        const auto product = products.find(one.taken.product_id);
        const auto taken = movements.find(id);
        const bool is_sale =
            taken == movements.end() || taken->second.what == stock::operation::sale;
        auto fault = stock::fault_of_return(one, product != products.end(),
                                            is_sale ? "sale" : "reduction", "");
        if (!fault.empty()) {
            out.refused.push_back({id, std::move(fault)});
            continue;
        }
        product_row& row = product->second;
        const std::int64_t units = -one.taken.delta;
        if (taken == movements.end()) {
            row.stock -= units;
            movements.emplace(id, one.taken);
        }
        const bool is_new = returned.try_emplace(id, came_back{units, one.restock}).second;
        if (is_new || in_.is_without(guard::movement_once)) {
            in_.tell("stock database", "{} {} of {}", one.restock ? "takes back" : "writes off",
                     units, short_id(id.order_id.to_string()));
            if (one.restock) {
                row.stock += units;
                row.supplied += units;
                row.returned += units;
            }
            if (row.limit) buyer_returns[{row.id, one.user_id}] += units;
        }
        told.insert(row.id);
        if (row.limit) told_buyers.emplace(row.id, one.user_id);
    }
    for (const std::int64_t id : told)
        out.units.products.push_back(units_of(products.at(id)));
    for (const auto& buyer : told_buyers)
        out.units.buyers.push_back({buyer.first, buyer.second, buyer_returns.at(buyer)});
    return out;
}

}  // namespace flashsale::model
