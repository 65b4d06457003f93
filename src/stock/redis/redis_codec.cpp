#include "redis_codec.hpp"

#include <algorithm>
#include <charconv>

#include "outbox_entry.hpp"
#include "refusals.hpp"
#include "reservation_event.hpp"

namespace flashsale::stock {

namespace {

using redis::value;

template <class Integer>
bool read_integer(std::string_view text, Integer& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

/// Takes the text up to the next space, or all of it.
std::string_view take_word(std::string_view& text) {
    const auto space = text.find(' ');
    const auto word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    return word;
}

/// Of lua/reserve.lua: what a refusal's element has beside its code.
constexpr std::int64_t refusal_codes = 64;
constexpr std::int64_t purchase_limit_code = 3;
constexpr std::int64_t out_of_stock_code = 4;
constexpr std::int64_t could_be_granted = 7;
constexpr std::int64_t price_changed_code = 8;
constexpr std::int64_t paused_code = 12;
constexpr std::int64_t ended_code = 13;
constexpr std::int64_t archived_code = 14;

/// Whether one more element says what is left, or the price.
bool has_number(std::int64_t code) {
    return code == purchase_limit_code || code == out_of_stock_code || code == price_changed_code;
}

/// nullopt: no code of this version's script.
std::optional<errc> refusal_of(std::int64_t code) {
    switch (code) {
        case 1:
            return errc::product_not_found;
        case 2:
            return errc::sale_over;
        case purchase_limit_code:
            return errc::purchase_limit;
        case out_of_stock_code:
            return errc::out_of_stock;
        case 5:
            return errc::idempotency_key_reused;
        case 6:
            return errc::overloaded;
        case paused_code:
            return errc::sale_paused;
        case ended_code:
            return errc::sale_ended;
        case archived_code:
            return errc::product_archived;
        case could_be_granted:
            return errc::outcome_unknown;  // until it is asked again
        case price_changed_code:
            return errc::price_changed;
        case 9:
            return errc::total_too_high;
        default:
            return std::nullopt;
    }
}

/// Fills in the decisions of a batch, reply element by reply element.
class decision_reader {
public:
    decision_reader(std::uint64_t epoch, std::span<const reservation> batch)
        : epoch_(epoch), batch_(batch) {
        out_.decisions.reserve(batch.size());
    }

    /// False: the element means nothing here.
    bool read(const value& element) {
        if (left_due_ > 0) return read_left(element);
        if (element.kind == value::type::integer) return read_refusals(element.integer);
        std::string_view text = element.text;
        const std::string_view tag = take_word(text);
        if (tag == "w") return read_too_early(text);
        if (tag == "d") return read_time(text);
        if (tag == "t") return (out_.token = uuid::parse(text)).has_value();
        if (tag == "g") return read_grants(text);
        if (tag == "r" || tag == "p") return read_repeat(text, tag == "r");
        return false;
    }

    decoded_decisions finish(bool well_formed) {
        if (!well_formed || left() > 0 || left_due_ > 0) {
            out_.ask_again.clear();
            out_.decisions.assign(batch_.size(), std::unexpected(errc::outcome_unknown));
        }
        return std::move(out_);
    }

private:
    std::size_t left() const { return batch_.size() - out_.decisions.size(); }

    bool read_refusals(std::int64_t packed) {
        const std::int64_t code = packed % refusal_codes;
        const auto count = static_cast<std::size_t>(packed / refusal_codes);
        const auto why = refusal_of(code);
        if (packed < 0 || count > left() || !why) return false;
        for (std::size_t i = 0; i < count; ++i) {
            if (code == could_be_granted) out_.ask_again.push_back(out_.decisions.size());
            out_.decisions.emplace_back(std::unexpected(*why));
        }
        if (has_number(code)) left_due_ = count;
        return true;
    }

    /// What is left, to those that were refused with the element before.
    bool read_left(const value& element) {
        if (element.kind != value::type::integer || element.integer < 0) return false;
        for (; left_due_ > 0; --left_due_)
            out_.decisions[out_.decisions.size() - left_due_].error().left = element.integer;
        return true;
    }

    bool read_too_early(std::string_view text) {
        std::size_t count = 0;
        std::int64_t opens = 0, wait = 0;
        if (!read_integer(take_word(text), count) || !read_integer(take_word(text), opens) ||
            !read_integer(text, wait) || count > left()) {
            return false;
        }
        const refusal why =
            not_yet(timestamp{std::chrono::microseconds{opens}}, std::chrono::microseconds{wait});
        for (; count > 0; --count)
            out_.decisions.emplace_back(std::unexpected(why));
        return true;
    }

    bool read_time(std::string_view text) {
        std::int64_t milliseconds = 0;
        if (!read_integer(text, milliseconds)) return false;
        decided_at_ = timestamp{std::chrono::milliseconds{milliseconds}};
        return true;
    }

    bool read_grants(std::string_view text) {
        std::size_t count = 0;
        std::uint64_t seq = 0;
        std::int64_t price = 0;
        currency_code currency;
        std::uint32_t window_s = 0;
        if (!read_integer(take_word(text), count) || !read_integer(take_word(text), seq) ||
            !read_price(text, price, currency, window_s) || count > left() || !out_.token) {
            return false;
        }
        for (; count > 0; --count, ++seq) {
            const reservation& asked = batch_[out_.decisions.size()];
            grant& made = *out_.decisions.emplace_back(std::in_place);
            made.id = asked.id;
            if (asked.dated_by_gate) {
                if (!decided_at_) return false;
                made.id.set_time(*decided_at_);
            }
            made.unit_price = price;
            made.currency = currency;
            made.payment_window_s = window_s;
            made.token = *out_.token;
            made.event = event_of(asked, made.id, {price, currency, window_s, epoch_, seq});
        }
        return true;
    }

    bool read_repeat(std::string_view text, bool recorded) {
        if (left() == 0) return false;
        const auto id = uuid::parse(take_word(text));
        std::int64_t price = 0;
        currency_code currency;
        std::uint32_t window_s = 0;
        if (!id || !read_price(take_word(text), price, currency, window_s)) return false;
        grant& made = *out_.decisions.emplace_back(std::in_place);
        made.id = *id;
        made.unit_price = price;
        made.currency = currency;
        made.payment_window_s = window_s;
        made.repeat = true;
        made.recorded = recorded;
        if (recorded) return true;
        if (!out_.token) return false;
        made.token = *out_.token;
        made.event = event_of_entry(*id, text);
        return true;
    }

    const std::uint64_t epoch_;
    const std::span<const reservation> batch_;
    std::optional<timestamp> decided_at_;  // by the gate's clock
    std::size_t left_due_ = 0;             // decisions that the next element belongs to
    decoded_decisions out_;
};

}  // namespace

script_status status_of(const value& reply) {
    using kind = script_status::kind;
    if (reply.kind != value::type::array || reply.elements.empty() ||
        reply.elements[0].kind != value::type::integer) {
        return {};
    }
    switch (reply.elements[0].integer) {
        case 0:
            return {kind::open};
        case 1:
            return {kind::closed};
        case 2: {
            script_status stale{kind::stale};
            if (reply.elements.size() == 2 && read_integer(reply.elements[1].text, stale.epoch)) {
                return stale;
            }
            return {};
        }
        default:
            return {};
    }
}

std::vector<std::string> events_of_entries(std::span<const value> fields_and_values) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i + 1 < fields_and_values.size(); i += 2) {
        const auto id = uuid::parse(fields_and_values[i].text);
        const std::string& entry = fields_and_values[i + 1].text;
        out.push_back(id ? event_of_entry(*id, entry) : entry);
    }
    return out;
}

std::optional<gate::outbox_page> decode_outbox_page(const value& reply) {
    constexpr std::size_t first = 4;
    const auto& elements = reply.elements;
    std::int64_t read_at = 0;
    gate::outbox_page out;
    if (elements.size() < first || !read_integer(elements[2].text, out.epoch) ||
        !read_integer(elements[3].text, read_at)) {
        return std::nullopt;
    }
    if (elements[1].text != "0") out.next_cursor = elements[1].text;
    out.read_at = timestamp{std::chrono::microseconds{read_at}};
    out.events = events_of_entries(std::span(elements).subspan(first));
    return out;
}

std::optional<gate::levels> decode_levels(const value& reply, std::size_t products) {
    const auto& elements = reply.elements;
    constexpr std::size_t first = token_place + 1;
    constexpr std::size_t numbers_of_level = 3;
    if (elements.size() != first + numbers_of_level * products) return std::nullopt;
    const auto token = uuid::parse(elements[token_place].text);
    if (!token) return std::nullopt;
    const auto number = [&](std::size_t i) { return std::atoll(elements[i].text.c_str()); };
    gate::levels out;
    out.epoch = static_cast<std::uint64_t>(number(1));
    out.seq = static_cast<std::uint64_t>(number(2));
    out.token = *token;
    for (std::size_t place = first; place < elements.size(); place += numbers_of_level) {
        if (elements[place].kind == value::type::nil) {
            out.products.emplace_back(std::nullopt);
        } else {
            out.products.push_back(
                gate::levels::product{number(place), number(place + 1), number(place + 2)});
        }
    }
    return out;
}

decoded_decisions decode_decisions(value reply, std::uint64_t epoch,
                                   std::span<const reservation> batch) {
    decision_reader reader(epoch, batch);
    const bool well_formed = std::all_of(reply.elements.begin() + 1, reply.elements.end(),
                                         [&](const value& each) { return reader.read(each); });
    return reader.finish(well_formed);
}

std::optional<gate::backlog> decode_backlog(const value& reply) {
    const auto& elements = reply.elements;
    if (elements.size() != 5) return std::nullopt;
    const auto number = [](const value& one) {
        return one.kind == value::type::integer ? static_cast<std::uint64_t>(one.integer)
                                                : std::strtoull(one.text.c_str(), nullptr, 10);
    };
    return gate::backlog{number(elements[1]), number(elements[2]), number(elements[4])};
}

}  // namespace flashsale::stock
