#include "returned_lines.hpp"

#include <algorithm>
#include <unordered_map>

namespace flashsale::stock {

namespace {

/// Cumulative numbers of two batches: the larger is the later.
void merge(returned_units& into, const returned_units& from) {
    for (const gate_product& one : from.products) {
        const auto known = std::ranges::find(into.products, one.id, &gate_product::id);
        if (known == into.products.end()) {
            into.products.push_back(one);
        } else if (known->supplied < one.supplied) {
            *known = one;
        }
    }
    for (const buyer_returns& one : from.buyers) {
        const auto known = std::ranges::find_if(into.buyers, [&](const buyer_returns& each) {
            return each.product_id == one.product_id && each.user_id == one.user_id;
        });
        if (known == into.buyers.end()) {
            into.buyers.push_back(one);
        } else {
            known->returned = std::max(known->returned, one.returned);
        }
    }
}

}  // namespace

std::string_view kind_of_return(const ended_line& line) {
    return line.restock ? "return" : "written_off";
}

std::string fault_of_return(const ended_line& line, bool product_exists, std::string_view taken_as,
                            std::string_view came_back_as) {
    if (!product_exists) return "no product " + std::to_string(line.taken.product_id);
    if (!taken_as.empty() && taken_as != "sale")
        return "its id has a movement of kind " + std::string(taken_as);
    if (came_back_as == "drop") return "it was dropped";
    return {};
}

std::vector<ended_line> in_order(std::span<const ended_line> lines) {
    std::vector<ended_line> out(lines.begin(), lines.end());
    std::ranges::sort(out, {}, [](const ended_line& one) { return one.taken.taken(); });
    return out;
}

std::expected<recorded_returns, std::string> return_by_halves(
    std::span<const ended_line> lines,
    const std::function<returned_batch(std::span<const ended_line>)>& whole) {
    recorded_returns out;
    if (lines.empty()) return out;
    auto recorded = whole(lines);
    if (recorded) return std::move(*recorded);
    ledger_fault& fault = recorded.error();
    if (!fault.of_the_data) return std::unexpected(std::move(fault.message));
    if (lines.size() == 1) {
        out.refused.push_back({lines.front().taken.taken(), std::move(fault.message)});
        return out;
    }
    for (const auto half : {lines.first(lines.size() / 2), lines.subspan(lines.size() / 2)}) {
        auto part = return_by_halves(half, whole);
        if (!part) return part;
        merge(out.units, part->units);
        out.refused.insert(out.refused.end(), part->refused.begin(), part->refused.end());
    }
    return out;
}

}  // namespace flashsale::stock
