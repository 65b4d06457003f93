#include "message_codec.hpp"

#include <algorithm>
#include <utility>

#include "written_form.hpp"

namespace flashsale::events {

namespace json = boost::json;

void message_builder::add(std::string_view event) {
    body_.push_back(body_.empty() ? '[' : ',');
    body_.append(event);
}

std::string message_builder::take() {
    body_.push_back(']');
    return std::exchange(body_, {});
}

namespace {

/// A body of brackets alone must not ask for memory.
constexpr std::size_t reserved_events_max = 4'096;

/// nullopt: not all of it is in the form in which this program writes.
std::optional<std::vector<entry>> decode_written_form(std::string_view body) {
    std::vector<entry> entries;
    entries.reserve(std::min<std::size_t>(static_cast<std::size_t>(std::ranges::count(body, '[')),
                                          reserved_events_max));
    while (!body.empty() && body.front() == (entries.empty() ? '[' : ',')) {
        body.remove_prefix(1);
        auto one = take_written_form(body);
        if (!one) return std::nullopt;
        entries.emplace_back(std::move(*one));
    }
    if (body != "]" || entries.empty()) return std::nullopt;
    return entries;
}

}  // namespace

std::optional<std::vector<entry>> decode_message(std::string_view body) {
    if (auto entries = decode_written_form(body)) return entries;
    json::error_code error;
    json::monotonic_resource memory;
    const json::value value = json::parse(body, error, &memory);
    if (error || !value.is_array()) return std::nullopt;
    std::vector<entry> entries;
    entries.reserve(value.get_array().size());
    for (const json::value& element : value.get_array()) {
        auto decoded = decode(element);
        if (decoded) {
            entries.emplace_back(std::move(*decoded));
        } else {
            entries.emplace_back(
                std::unexpected(poison{json::serialize(element), std::move(decoded.error())}));
        }
    }
    return entries;
}

}  // namespace flashsale::events
