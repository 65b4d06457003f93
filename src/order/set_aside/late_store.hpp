#pragma once

// Where late events wait for the gate's answer.

#include <flashsale/stock/allocation.hpp>

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace flashsale::order {

/// Blocking; one thread. An error's text is for people.
class late_store {
public:
    virtual ~late_store() = default;

    struct page {
        std::vector<stock::allocation> rows;  ///< ascending by id; what cannot be read is left out
        std::optional<uuid> next;             ///< `after` of the next page; nullopt: the last one
    };
    /// Of one shard, those behind `after`; reads at most `rows_max`.
    virtual std::expected<page, std::string> read(std::uint32_t shard, const uuid& after,
                                                  std::size_t rows_max) = 0;
    /// These are recorded, or others of their keys are.
    virtual std::expected<void, std::string> forget(std::span<const uuid> ids) = 0;
    /// The gate has refused it: it is parked, and holds no units.
    virtual std::expected<void, std::string> park(const uuid& id, const std::string& reason) = 0;
};

}  // namespace flashsale::order
