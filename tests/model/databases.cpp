#include "databases.hpp"

#include "process.hpp"

namespace flashsale::model {

void database::travel(int process_number, std::uint64_t life, std::uint64_t kept,
                      std::move_only_function<void(bool)> what) {
    in_.after(in_.transit(), [this, process_number, life, kept, what = std::move(what)]() mutable {
        // A process that died while its statement was on its way: the server may have it already.
        const bool abandoned =
            in_.processes[static_cast<std::size_t>(process_number)]->life() != life;
        if (up() && !(abandoned && in_.random.chance(50))) {
            const bool reply_lost = in_.now() < losing_until_ && in_.random.chance(40);
            if (reply_lost) in_.tell(name_, "its reply to p{} is lost", process_number);
            what(reply_lost);
        }
        process::call_later(in_, process_number, life, kept, in_.transit());
    });
}

void database::go_down(micros time) {
    in_.tell(name_, "is down for {} ms", time / ms);
    down_until_ = std::max(down_until_, in_.now() + time);
    locks_.clear();
}

bool database::lock(const std::string& name, int process_number, std::uint64_t life) {
    const auto [at, fresh] = locks_.try_emplace(name, process_number, life);
    return fresh || at->second == std::pair(process_number, life);
}

void database::unlock(const std::string& name, int process_number, std::uint64_t life) {
    const auto at = locks_.find(name);
    if (at != locks_.end() && at->second == std::pair(process_number, life)) locks_.erase(at);
}

void database::drop_sessions(int process_number, std::uint64_t life) {
    std::erase_if(locks_,
                  [&](const auto& one) { return one.second == std::pair(process_number, life); });
}

recording order_database::record(const std::vector<events::event>& all,
                                 std::optional<std::uint64_t> believed) {
    recording out;
    const std::uint64_t closed = believed.value_or(closed_generation);
    for (const events::event& one : all) {
        if (orders.contains(one.id) || parked.contains(one.id)) {
            if (parked.contains(one.id)) out.parked.push_back(one.id);
            continue;
        }
        if (one.generation < closed && !in_.is_without(guard::generation)) {
            if (!late.contains(one.id)) out.old.push_back(one);
            continue;
        }
        const auto [at, fresh] =
            by_key.try_emplace({one.user_id, one.product_id, one.idempotency_key}, one.id);
        if (!fresh) {
            park(one, "another order has its idempotency key", true);
            out.parked.push_back(one.id);
            continue;
        }
        orders.emplace(one.id, one);
    }
    return out;
}

void order_database::park(const events::event& what, std::string reason, bool holds_units) {
    in_.tell("order database", "parks {}: {}", what.id.to_string(), reason);
    parked.try_emplace(what.id, what, std::move(reason), holds_units);
}

movement_result stock_database::record(const std::vector<events::event>& all, bool returning) {
    movement_result out;
    for (const events::event& one : all) {
        const bool sale = one.what == events::event::kind::order_accepted;
        const bool known = movements.contains(one.id);
        if (known && returning) continue;
        if (!known && !sale && one.generation < closed_generation &&
            !in_.is_without(guard::generation)) {
            out.old.push_back(one);
            continue;
        }
        const auto product = products.find(one.product_id);
        const bool taken =
            !sale &&
            !reductions_by_key.try_emplace({one.product_id, one.idempotency_key}, one.id).second;
        if (product == products.end() || (taken && !known) ||
            product->second.stock < one.quantity) {
            out.refused.push_back(one.id);
            continue;
        }
        product->second.stock -= one.quantity;
        movements.try_emplace(one.id, movement{one.product_id, -one.quantity, sale,
                                               one.idempotency_key, one.generation});
    }
    return out;
}

}  // namespace flashsale::model
