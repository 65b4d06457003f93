#pragma once

// Cursor pages: `?limit=50&cursor=…`. A cursor is opaque to clients; what is in it is its module's.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "flashsale/base/json_fields.hpp"

namespace flashsale::http {

inline constexpr std::int64_t page_items_max = 100;

struct page_query {
    std::int64_t limit = 50;  ///< 1 to page_items_max
    std::string cursor;       ///< empty: the first page; else 1 to 64 of [0-9a-f-]
};

/// Refuses parameters that it does not know, and any given twice.
std::expected<page_query, field_fault> parse_page_query(std::string_view query);

/// A decimal id of at least 1, as ids stand in paths and cursors.
std::optional<std::int64_t> parse_id(std::string_view text);

}  // namespace flashsale::http
