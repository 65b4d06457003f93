#include "reload.hpp"

namespace flashsale::app {

namespace {

template <class Setting>
bool assign_if_other(const Setting& of, config& running, config& read, bool reloads) {
    if (of.in(running) == of.in(read)) return false;
    if (reloads) of.in(running) = of.in(read);
    return true;
}

}  // namespace

config_changes take_changes(config& running, config read) {
    config_changes out;
    for (const setting& one : settings()) {
        const bool reloads = one.reloads();
        const bool other = std::visit(
            [&](const auto& of) { return assign_if_other(of, running, read, reloads); }, one.value);
        if (other) (reloads ? out.taken : out.waiting).push_back(one.path);
    }
    return out;
}

}  // namespace flashsale::app
