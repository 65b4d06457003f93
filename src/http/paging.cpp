#include <flashsale/http/paging.hpp>

#include <algorithm>
#include <charconv>

namespace flashsale::http {

namespace {

template <class Integer>
std::optional<Integer> parse_decimal(std::string_view text) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_cursor(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
    });
}

}  // namespace

std::optional<std::int64_t> parse_id(std::string_view text) {
    if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
    return parse_decimal<std::int64_t>(text);
}

std::expected<page_query, field_fault> parse_page_query(std::string_view query) {
    page_query page;
    bool limit_seen = false;
    while (!query.empty()) {
        const auto end = query.find('&');
        const std::string_view one = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        const auto equals = one.find('=');
        const std::string_view name = one.substr(0, equals);
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view{} : one.substr(equals + 1);
        if (name == "limit" && !limit_seen) {
            limit_seen = true;
            const auto limit = parse_decimal<std::int64_t>(value);
            if (!limit || *limit < 1 || *limit > page_items_max) {
                return std::unexpected(
                    field_fault{"limit", "an integer from 1 to " + std::to_string(page_items_max)});
            }
            page.limit = *limit;
        } else if (name == "cursor" && page.cursor.empty()) {
            if (!is_cursor(value)) {
                return std::unexpected(field_fault{"cursor", "a next_cursor of an earlier page"});
            }
            page.cursor = value;
        } else {
            return std::unexpected(
                field_fault{std::string(name), "limit and cursor, each at most once"});
        }
    }
    return page;
}

field_fault fault_of_page_query_for_csv(std::string_view query) {
    return {std::string(query.substr(0, query.find_first_of("=&"))),
            "nothing: as text/csv the list comes as a whole"};
}

}  // namespace flashsale::http
