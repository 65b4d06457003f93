#include "rebuild_plan.hpp"

#include <algorithm>

namespace flashsale::recovery {

void rebuild_plan::succeeded(deadline now) {
    if (step_ == step::unbind) unbound_at_ = now;
    if (step_ == step::wait_deadline && left(now).count() > 0) return;
    if (step_ < step::done) step_ = static_cast<step>(static_cast<int>(step_) + 1);
}

void rebuild_plan::publish_again() {
    if (step_ == step::await_barrier || step_ == step::find_survivors)
        step_ = step::publish_survivors;
}

std::chrono::milliseconds rebuild_plan::left(deadline now) const {
    const auto until = unbound_at_ + confirm_deadline_;
    return std::max(std::chrono::milliseconds{0},
                    std::chrono::ceil<std::chrono::milliseconds>(until - now));
}

std::string_view name_of(rebuild_plan::step what) {
    using enum rebuild_plan::step;
    switch (what) {
        case raise_epoch:
            return "raise_epoch";
        case unbind:
            return "unbind";
        case prove_unbound:
            return "prove_unbound";
        case close_gate:
            return "close_gate";
        case wait_deadline:
            return "wait_deadline";
        case bind:
            return "bind";
        case publish_survivors:
            return "publish_survivors";
        case send_barrier:
            return "send_barrier";
        case await_barrier:
            return "await_barrier";
        case find_survivors:
            return "find_survivors";
        case raise_fences:
            return "raise_fences";
        case begin_loading:
            return "begin_loading";
        case remove_older:
            return "remove_older";
        case load:
            return "load";
        case mark_open:
            return "mark_open";
        case open_gate:
            return "open_gate";
        case done:
            return "done";
        case given_up:
            break;
    }
    return "given_up";
}

void rebuild_arithmetic::has_no_movement(const stock::allocation& taken) {
    if (seen_.try_emplace(taken.id(), taken.quantity).second)
        unmoved_[taken.product_id] += taken.quantity;
}

void rebuild_arithmetic::has_movement(const stock::allocation& taken) {
    const auto found = seen_.extract(taken.id());
    if (!found.empty()) unmoved_[taken.product_id] -= found.mapped();
}

bool rebuild_arithmetic::fits(std::int64_t product_id, std::int64_t stock,
                              std::int64_t free) const {
    const auto found = unmoved_.find(product_id);
    return free == stock - (found == unmoved_.end() ? 0 : found->second);
}

}  // namespace flashsale::recovery
