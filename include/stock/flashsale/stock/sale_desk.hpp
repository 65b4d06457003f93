#pragma once

// Sales as other modules see them: what belongs to one, and that it ends.

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/stock/refusal.hpp"

namespace flashsale::stock {

struct sale_product {
    std::int64_t id = 0;
    std::string name;
    std::int64_t supplied = 0;  ///< all units ever given, what has returned included
    std::int64_t returned = 0;  ///< of that
};

struct sale_summary {
    std::int64_t id = 0;
    std::string name;
    timestamp created_at;
    std::vector<sale_product> products;  ///< ascending, archived ones too
};

/// One per worker, on its thread.
class sale_desk {
public:
    virtual ~sale_desk() = default;

    using answer = awaitable<std::expected<sale_summary, errc>>;

    virtual answer find(std::int64_t id) = 0;
    /// For ever, and again as often as asked. The answer comes when the open gate has it: nothing
    /// of the sale is granted from then on.
    virtual answer end(std::int64_t id) = 0;
};

}  // namespace flashsale::stock
