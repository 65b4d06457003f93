#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "record/life_sums.hpp"

namespace flashsale::bench {

/// Where the sums read what has become of held orders. Errors are sentences.
class life_source {
public:
    virtual ~life_source() = default;

    virtual std::expected<void, std::string> open() = 0;
    /// All orders of one product, with what they have returned and what was paid for them, and the
    /// balances of these users. The orders are read first: once each is paid for or has ended, what
    /// is read thereafter is final but for returns that are still to come.
    virtual std::expected<life_record, std::string> read(std::int64_t product,
                                                         std::span<const std::int64_t> users) = 0;
};

}  // namespace flashsale::bench
