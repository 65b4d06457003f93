#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace flashsale::bench {

/// A log-linear histogram: any value up to 2^40 is kept with three significant digits, in constant
/// memory. Larger ones count as 2^40 - 1, but `max` stays exact. Unit: the caller's, nanoseconds
/// in this program (2^40 ns are 18 minutes).
class histogram {
public:
    histogram();

    void record(std::int64_t value);
    void merge(const histogram& other);

    std::uint64_t count() const { return count_; }
    std::int64_t max() const { return max_; }
    double mean() const;

    /// The smallest kept value that at least `quantile` (0 to 1) of all values do not exceed; never
    /// above max(). Zero if nothing was recorded.
    std::int64_t at(double quantile) const;

private:
    static std::size_t index_of(std::int64_t value);
    static std::int64_t highest_of(std::size_t index);

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    std::int64_t max_ = 0;
    double sum_ = 0;
};

}  // namespace flashsale::bench
