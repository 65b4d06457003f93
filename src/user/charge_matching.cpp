#include "charge_matching.hpp"

#include <algorithm>

namespace flashsale::user {

void charge_matching::note(const taken_charge& decision) {
    // Nothing is debited for nothing.
    decisions_[decision.payment_id] = {.decision = decision, .has_entry = decision.amount == 0};
}

void charge_matching::match(pair& with, const taken_charge& entry) {
    const taken_charge& made = with.decision;
    const bool fits = entry.order_id == made.order_id && entry.user_id == made.user_id &&
                      entry.amount == made.amount;
    if (with.has_entry || !fits) with.is_odd = true;
    with.has_entry = true;
}

void charge_matching::note_entry(const taken_charge& entry) {
    const auto found = decisions_.find(entry.payment_id);
    if (found == decisions_.end()) {
        unknown_.emplace(entry.payment_id, entry);
    } else {
        match(found->second, entry);
    }
}

std::optional<std::vector<uuid>> charge_matching::next_unknown(std::size_t payments_max) {
    if (!std::exchange(is_listed_, true)) {
        for (const auto& [id, entry] : unknown_)
            to_look_up_.push_back(id);
    }
    if (to_look_up_.empty()) return std::nullopt;
    const auto count = std::min(payments_max, to_look_up_.size());
    std::vector<uuid> out(to_look_up_.end() - static_cast<std::ptrdiff_t>(count),
                          to_look_up_.end());
    to_look_up_.resize(to_look_up_.size() - count);
    return out;
}

void charge_matching::note_later(const taken_charge& decision) {
    const auto [entries, end] = unknown_.equal_range(decision.payment_id);
    if (entries == end) return;
    note(decision);
    for (auto one = entries; one != end; ++one)
        match(decisions_.at(decision.payment_id), one->second);
    unknown_.erase(entries, end);
}

std::vector<taken_charge> charge_matching::odd() const {
    std::vector<taken_charge> out;
    for (const auto& [id, one] : decisions_) {
        if (one.is_odd || !one.has_entry) out.push_back(one.decision);
    }
    for (const auto& [id, entry] : unknown_)
        out.push_back(entry);
    std::ranges::sort(out, {}, &taken_charge::payment_id);
    return out;
}

}  // namespace flashsale::user
