#include "ledger_halves.hpp"

namespace flashsale::stock {

std::expected<std::vector<refused_movement>, std::string> record_by_halves(
    std::span<const movement> movements,
    const std::function<recorded_batch(std::span<const movement>)>& whole) {
    std::vector<refused_movement> refused;
    if (movements.empty()) return refused;
    auto recorded = whole(movements);
    if (recorded) return std::move(*recorded);
    ledger_fault& fault = recorded.error();
    if (!fault.of_the_data) return std::unexpected(std::move(fault.message));
    if (movements.size() == 1) {
        refused.push_back({movements.front().taken(), std::move(fault.message)});
        return refused;
    }
    for (const auto half :
         {movements.first(movements.size() / 2), movements.subspan(movements.size() / 2)}) {
        auto part = record_by_halves(half, whole);
        if (!part) return part;
        refused.insert(refused.end(), part->begin(), part->end());
    }
    return refused;
}

refused_movement refused_without_error(const movement& what) {
    return {what.taken(),
            "no product " + std::to_string(what.product_id) + ", or its key has another movement"};
}

refused_movement refused_as_given_back(const movement& what) {
    refused_movement out{what.taken(), "its units were given back before: it was dropped"};
    out.given_back = true;
    return out;
}

}  // namespace flashsale::stock
