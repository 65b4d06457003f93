// The guards and the places that src/recovery and src/order/life have for the fault matrix
// (include/base/flashsale/base/fault_points.hpp), as the run has them.

#include <flashsale/base/fault_points.hpp>

#include "faults.hpp"
#include "process.hpp"

namespace flashsale::faults {

namespace {

constexpr std::array<std::pair<guard, model::guard>, 9> in_the_model{{
    {guard::waiting, model::guard::wait_d},
    {guard::barrier, model::guard::barrier},
    {guard::survivors, model::guard::survivors},
    {guard::unbinding, model::guard::unbinding},
    {guard::one_binder, model::guard::fresh_token},
    {guard::newest_gate, model::guard::newest_gate},
    {guard::own_token, model::guard::own_token},
    {guard::begun, model::guard::begun},
    {guard::return_due, model::guard::return_due},
}};

}  // namespace

bool without(guard which) {
    const auto* const in = model::world::current();
    if (!in || in->without() == model::guard::none) return false;
    const auto found =
        std::ranges::find(in_the_model, which, &std::pair<guard, model::guard>::first);
    return found != in_the_model.end() && in->is_without(found->second);
}

// No SQL is executed in the model.
std::string_view without(guard, std::string_view text, std::string_view, std::string_view) {
    return text;
}

void pass(place where) {
    if (!model::fiber::current()) return;
    model::process& of = model::process::of_current_fiber();
    const std::string_view name = place_names[static_cast<std::size_t>(where)];
    of.in.tell(of.name, "has come to {}", name);
    model::reach(of, name);
}

}  // namespace flashsale::faults
