#pragma once

// Cursor pages: `?limit=50&cursor=…`. A cursor is opaque to clients; what is in it is its module's.

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
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

/// What is wrong with any query for a list that comes as a whole, as CSV.
field_fault fault_of_page_query_for_csv(std::string_view query);

/// `{"items":[…],"next_cursor":…}` of what a query for `limit` + 1 items found: `append(body, item)`
/// writes one, `cursor_of(item)` names the last one shown, if there are more.
template <class Item, class Append, class CursorOf>
std::string page_body(std::span<const Item> found, std::int64_t limit, Append append,
                      CursorOf cursor_of) {
    const bool more = std::ssize(found) > limit;
    if (more) found = found.first(static_cast<std::size_t>(limit));
    std::string body = R"({"items":[)";
    for (const Item& one : found) {
        if (&one != &found.front()) body.push_back(',');
        append(body, one);
    }
    body.append(R"(],"next_cursor":)");
    body.append(more ? "\"" + cursor_of(found.back()) + "\"" : "null");
    body.push_back('}');
    return body;
}

/// A decimal id of at least 1, as ids stand in paths and cursors.
std::optional<std::int64_t> parse_id(std::string_view text);

}  // namespace flashsale::http
