#include "message_codec.hpp"

#include <utility>

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

std::optional<std::vector<entry>> decode_message(std::string_view body) {
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
