#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "record/arithmetic.hpp"

namespace flashsale::bench {

/// Where the sums read what was stored. Errors are sentences.
class record_source {
public:
    virtual ~record_source() = default;

    /// Connects; parked events are counted from here on.
    virtual std::expected<void, std::string> open() = 0;

    struct progress {
        std::int64_t orders = 0;
        std::int64_t sale_movements = 0;
        bool operator==(const progress&) const = default;
    };
    virtual std::expected<progress, std::string> count(std::span<const std::int64_t> products) = 0;
    virtual std::expected<record, std::string> read(std::span<const std::int64_t> products) = 0;
};

}  // namespace flashsale::bench
