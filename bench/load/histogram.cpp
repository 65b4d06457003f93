#include "load/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace flashsale::bench {

namespace {

// 2,048 steps up to the first doubling and 1,024 in each after it: a step is never wider than a
// thousandth of the values in it.
constexpr std::size_t steps_per_doubling = 1'024;
constexpr int value_bits = 40;
constexpr int exact_bits = 11;
constexpr std::int64_t value_max = (std::int64_t{1} << value_bits) - 1;

}  // namespace

histogram::histogram() : counts_(index_of(value_max) + 1) {}

std::size_t histogram::index_of(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(std::clamp<std::int64_t>(value, 0, value_max));
    const int shift = std::max(0, static_cast<int>(std::bit_width(bits)) - exact_bits);
    return steps_per_doubling * static_cast<std::size_t>(shift) + (bits >> shift);
}

std::int64_t histogram::highest_of(std::size_t index) {
    if (index < 2 * steps_per_doubling) return static_cast<std::int64_t>(index);
    const auto shift = index / steps_per_doubling - 1;
    const auto mantissa = index - shift * steps_per_doubling;
    return static_cast<std::int64_t>(((mantissa + 1) << shift) - 1);
}

void histogram::record(std::int64_t value) {
    ++counts_[index_of(value)];
    ++count_;
    max_ = std::max(max_, value);
    sum_ += static_cast<double>(value);
}

void histogram::merge(const histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i)
        counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
    sum_ += other.sum_;
}

double histogram::mean() const {
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::int64_t histogram::at(double quantile) const {
    if (count_ == 0) return 0;
    const double wanted = std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_));
    const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        // The last step has no upper bound: what lies in it is described by the largest value.
        if (seen >= rank) return i + 1 == counts_.size() ? max_ : std::min(highest_of(i), max_);
    }
    return max_;
}

}  // namespace flashsale::bench
