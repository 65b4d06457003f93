#include "confirm_window.hpp"

#include <algorithm>
#include <cassert>

namespace flashsale::amqp {

std::uint64_t confirm_window::add(std::uint64_t tag, time_point now) {
    assert(!full());
    slots_.push_back({tag, now});
    return first_ + slots_.size() - 1;
}

confirm_window::slot* confirm_window::find(std::uint64_t number) {
    if (number < first_ || number - first_ >= slots_.size()) return nullptr;
    return &slots_[number - first_];
}

bool confirm_window::mark_returned(std::uint64_t number) {
    slot* found = find(number);
    if (!found || found->done) return false;
    found->returned = true;
    return true;
}

void confirm_window::finish_one(slot& one, bool refused, std::vector<settled>& out) {
    if (one.done) return;
    one.done = true;
    if (one.given_up)
        --given_up_;
    else
        out.push_back({one.tag, refused        ? outcome::refused
                                : one.returned ? outcome::returned
                                               : outcome::confirmed});
}

void confirm_window::finish(std::uint64_t number, bool multiple, bool refused,
                            std::vector<settled>& out) {
    if (!multiple) {
        if (slot* found = find(number)) finish_one(*found, refused, out);
    } else {
        const auto upto = number == 0 ? slots_.size()
                          : number < first_
                              ? 0
                              : std::min<std::uint64_t>(number - first_ + 1, slots_.size());
        for (std::size_t i = 0; i < upto; ++i)
            finish_one(slots_[i], refused, out);
    }
    while (!slots_.empty() && slots_.front().done) {
        slots_.pop_front();
        ++first_;
    }
}

void confirm_window::ack(std::uint64_t number, bool multiple, std::vector<settled>& out) {
    finish(number, multiple, false, out);
}

void confirm_window::nack(std::uint64_t number, bool multiple, std::vector<settled>& out) {
    finish(number, multiple, true, out);
}

std::optional<confirm_window::time_point> confirm_window::oldest() const {
    const auto waiting =
        std::ranges::find_if(slots_, [](const slot& one) { return !one.done && !one.given_up; });
    if (waiting == slots_.end()) return std::nullopt;
    return waiting->published_at;
}

void confirm_window::give_up(time_point limit, std::vector<settled>& out) {
    for (slot& one : slots_) {
        if (one.published_at >= limit) break;
        if (one.done || one.given_up) continue;
        one.given_up = true;
        ++given_up_;
        out.push_back({one.tag, outcome::unknown});
    }
}

void confirm_window::lose_all(std::vector<settled>& out) {
    for (const slot& one : slots_) {
        if (!one.done && !one.given_up) out.push_back({one.tag, outcome::unknown});
    }
    slots_.clear();
    first_ = 1;
    given_up_ = 0;
}

}  // namespace flashsale::amqp
