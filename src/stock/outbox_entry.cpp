#include "outbox_entry.hpp"

#include <array>
#include <charconv>
#include <flashsale/base/json_fields.hpp>
#include <flashsale/events/event.hpp>
#include <optional>

namespace flashsale::stock {

namespace {

std::optional<std::int64_t> number_in(std::string_view text) {
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return out;
}

/// Without the space before it; nullopt: there is none.
std::optional<std::string_view> take_last_word(std::string_view& text) {
    const auto space = text.rfind(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto found = text.substr(space + 1);
    text = text.substr(0, space);
    return found;
}

/// Reads what add_key_field() wrote into user and key.
bool read_key_field(std::string_view field, events::event_head& into) {
    if (field.starts_with('r')) {
        into.what = events::event::kind::stock_reduced;
        into.idempotency_key = field.substr(1);
        return true;
    }
    const auto colon = field.find(':');
    if (!field.starts_with('s') || colon == std::string_view::npos) return false;
    const auto user = number_in(field.substr(1, colon - 1));
    if (!user) return false;
    into.what = events::event::kind::order_accepted;
    into.user_id = *user;
    into.idempotency_key = field.substr(colon + 1);
    return true;
}

std::string no_event(std::string_view entry) {
    boost::system::error_code fault;
    boost::json::parse(entry, fault);
    if (!fault) return std::string(entry);
    std::string bytes;  // each as a character: they may be no UTF-8
    for (const char c : entry) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) bytes.push_back(static_cast<char>(0xc0 | byte >> 6));
        bytes.push_back(byte < 0x80 ? c : static_cast<char>(0x80 | (byte & 0x3f)));
    }
    std::string out;
    append_json_string(out, bytes);
    return out;
}

}  // namespace

void add_key_field(std::string& to, operation what, std::int64_t user_id, std::string_view key) {
    if (what == operation::sale) {
        to.push_back('s');
        append_integer(to, user_id);
        to.push_back(':');
    } else {
        to.push_back('r');
    }
    to.append(key);
}

std::string event_of_entry(const uuid& id, std::string_view entry) {
    enum : std::size_t { place, base, generation, price, quantity, product, count };
    std::array<std::int64_t, count> numbers{};
    currency_code currency;
    std::string_view field = entry;
    for (std::size_t i = 0; i < count; ++i) {
        const auto word = take_last_word(field);
        if (!word) return no_event(entry);
        const auto number = i == price ? std::nullopt : number_in(*word);
        if (number) {
            numbers[i] = *number;
        } else if (i != price || !read_price(*word, numbers[price], currency)) {
            return no_event(entry);
        }
    }
    events::event_head head;
    head.id = id;
    head.shard = id.shard();
    head.product_id = numbers[product];
    head.quantity = numbers[quantity];
    head.created_at = id.time();
    if (!read_key_field(field, head)) return no_event(entry);
    std::string out;
    out.reserve(160);
    events::append_open_event(out, head);
    events::close_event(out, numbers[price], static_cast<std::uint64_t>(numbers[generation]),
                        static_cast<std::uint64_t>(numbers[base] + numbers[place]), currency);
    return out;
}

}  // namespace flashsale::stock
