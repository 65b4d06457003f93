#include "outbox_entry.hpp"

#include <boost/json.hpp>
#include <charconv>
#include <flashsale/base/json_fields.hpp>
#include <optional>

#include "reservation_event.hpp"

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

/// Without the space behind it; nullopt: there is none.
std::optional<std::string_view> take_first_word(std::string_view& text) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto found = text.substr(0, space);
    text = text.substr(space + 1);
    return found;
}

/// The fields of an entry, as they stand there.
struct entry_words {
    std::string_view place, product, quantity, price, epoch, base, key_field;
};

/// Every form takes as many words as it has fields. nullopt: it is of none.
std::optional<entry_words> words_of(std::string_view entry) {
    entry_words out;
    const auto take = [&](auto take_word, auto... fields) {
        const auto one = [&](std::string_view entry_words::* field) {
            const auto word = take_word(entry);
            if (word) out.*field = *word;
            return word.has_value();
        };
        const bool all = (one(fields) && ...);
        out.key_field = entry;
        return all ? std::optional(out) : std::nullopt;
    };
    using words = entry_words;
    const char form = entry.empty() ? ' ' : entry.front();
    if (form >= '0' && form <= '9') {
        return take(take_first_word, &words::place, &words::product, &words::quantity,
                    &words::price, &words::epoch, &words::base);
    }
    if (form == 's' || form == 'r') {
        return take(take_last_word, &words::place, &words::base, &words::epoch, &words::price,
                    &words::quantity, &words::product);
    }
    return std::nullopt;
}

/// Reads what add_key_field() wrote into user and key.
bool read_key_field(std::string_view field, reservation& into) {
    if (field.starts_with('r')) {
        into.what = operation::reduction;
        into.idempotency_key = field.substr(1);
        return true;
    }
    const auto colon = field.find(':');
    if (!field.starts_with('s') || colon == std::string_view::npos) return false;
    const auto user = number_in(field.substr(1, colon - 1));
    if (!user) return false;
    into.what = operation::sale;
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
    const auto words = words_of(entry);
    if (!words) return no_event(entry);
    const auto place = number_in(words->place), base = number_in(words->base),
               epoch = number_in(words->epoch), quantity = number_in(words->quantity),
               product = number_in(words->product);
    grant_terms terms;
    reservation of;
    if (!place || !base || !epoch || !quantity || !product ||
        !read_price(words->price, terms.unit_price, terms.currency, terms.payment_window_s) ||
        !read_key_field(words->key_field, of)) {
        return no_event(entry);
    }
    of.product_id = *product;
    of.quantity = *quantity;
    terms.epoch = static_cast<std::uint64_t>(*epoch);
    terms.seq = static_cast<std::uint64_t>(*base + *place);
    return event_of(of, id, terms);
}

}  // namespace flashsale::stock
