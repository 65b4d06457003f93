#pragma once

// Products as HTTP's clients see them.

#include <cstdint>
#include <optional>
#include <string>

#include <flashsale/stock/store.hpp>

namespace flashsale::stock {

/// Minor units; what a browser's numbers hold exactly.
inline constexpr std::int64_t amount_max = (std::int64_t{1} << 53) - 1;

/// A number, a time, or null.
void append_optional(std::string& out, const std::optional<std::int64_t>& value);
void append_optional(std::string& out, const std::optional<timestamp>& value);

void append_product(std::string& out, const product& what, currency_code of_deployment,
                    std::int64_t stock, const std::optional<std::int64_t>& available);

}  // namespace flashsale::stock
