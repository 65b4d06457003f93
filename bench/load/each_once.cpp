#include "load/each_once.hpp"

#include <spdlog/fmt/fmt.h>

namespace flashsale::bench {

each_once::each_once(std::string name, std::size_t count, rendering render, hearing hear)
    : name_{std::move(name)}, count_{count}, render_{std::move(render)}, hear_{std::move(hear)} {}

std::optional<std::size_t> each_once::next() {
    if (next_ == count_ || !fault_.empty()) return std::nullopt;
    return next_++;
}

void each_once::render(std::size_t number, std::string_view host, std::string& out) const {
    render_(number, host, out);
}

void each_once::done(std::size_t number, const outcome& what) {
    ++done_;
    if (hear_(number, what) || !fault_.empty()) return;
    fault_ = fmt::format("{} was answered {} {} {}", name_, what.status, what.code,
                         what.body.substr(0, 200));
}

std::string each_once::progress() const {
    return fmt::format("{}: {} of {}", name_, done_, count_);
}

}  // namespace flashsale::bench
