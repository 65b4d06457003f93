#pragma once

// Which deliveries of a connection are still to be acknowledged.
//
// Numbers begin at 1 with each connection, and the broker closes a channel that acknowledges a
// number it does not know. So the tags handed out carry the connection's count above the number,
// and only numbers in `open_` are ever sent.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>

namespace flashsale::amqp {

class delivery_tags {
public:
    /// A new connection: all earlier tags are void.
    void begin(std::uint64_t incarnation) {
        incarnation_ = incarnation;
        open_.clear();
    }

    /// Returns the tag for the delivery that the broker numbered so.
    std::uint64_t add(std::uint64_t number) {
        open_.push_back(number);
        return incarnation_ << number_bits | number;
    }

    bool is_void(std::uint64_t tag) const { return tag >> number_bits != incarnation_; }

    /// The number to acknowledge, with all before it; none if all of them are settled.
    std::optional<std::uint64_t> settle_up_to(std::uint64_t tag) {
        const auto end = std::ranges::upper_bound(open_, number_of(tag));
        if (end == open_.begin()) return std::nullopt;
        const std::uint64_t last = *std::prev(end);
        open_.erase(open_.begin(), end);
        return last;
    }

    /// The number of this one alone; none if it is settled.
    std::optional<std::uint64_t> settle_one(std::uint64_t tag) {
        const auto found = std::ranges::lower_bound(open_, number_of(tag));
        if (found == open_.end() || *found != number_of(tag)) return std::nullopt;
        const std::uint64_t number = *found;
        open_.erase(found);
        return number;
    }

    std::size_t open() const { return open_.size(); }

private:
    static constexpr unsigned number_bits = 40;

    static std::uint64_t number_of(std::uint64_t tag) {
        return tag & ((std::uint64_t{1} << number_bits) - 1);
    }

    std::uint64_t incarnation_ = 0;
    std::deque<std::uint64_t> open_;  ///< ascending
};

}  // namespace flashsale::amqp
