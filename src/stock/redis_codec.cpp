#include "redis_codec.hpp"

#include <flashsale/base/json_fields.hpp>
#include <flashsale/events/event.hpp>

#include <charconv>

namespace flashsale::stock {

void argument_list::add(std::string_view text) {
    bytes_.append(text);
    ends_.push_back(bytes_.size());
}

void argument_list::add(std::int64_t number) {
    append_integer(bytes_, number);
    ends_.push_back(bytes_.size());
}

void argument_list::add(std::uint64_t number) {
    append_integer(bytes_, number);
    ends_.push_back(bytes_.size());
}

std::vector<std::string_view> argument_list::views() const {
    std::vector<std::string_view> out;
    out.reserve(ends_.size());
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
        out.emplace_back(bytes_.data() + begin, end - begin);
        begin = end;
    }
    return out;
}

shard_keys::shard_keys(std::string_view prefix, std::uint32_t shard)
    : root("{" + std::string(prefix) + ":" + std::to_string(shard) + "}:") {
    header = root + "gate";
}

std::string shard_keys::outbox(std::uint64_t generation) const {
    return root + std::to_string(generation) + ":outbox";
}

argument_list reserve_arguments(const shard_keys& keys, std::uint64_t generation,
                                std::size_t outbox_events_max, std::span<const reservation> batch) {
    argument_list out;
    out.add(keys.root);
    out.add(generation);
    out.add(static_cast<std::uint64_t>(outbox_events_max));
    for (const reservation& one : batch) {
        out.add(one.product_id);
        out.add(one.user_id);
        out.add(one.quantity);
        out.add_with([&](std::string& bytes) {
            if (one.what == operation::sale) {
                bytes.push_back('s');
                append_integer(bytes, one.user_id);
                bytes.push_back(':');
            } else {
                bytes.push_back('r');
            }
            bytes.append(one.idempotency_key);
        });
        out.add_with([&](std::string& bytes) { one.id.append_to(bytes); });
        out.add(one.event);
    }
    return out;
}

argument_list give_arguments(const shard_keys& keys, std::uint64_t generation,
                             std::span<const gate_product> products) {
    const auto add_time = [](argument_list& out, const std::optional<timestamp>& time) {
        if (time) {
            out.add(static_cast<std::int64_t>(time->time_since_epoch().count()));
        } else {
            out.add("");
        }
    };
    argument_list out;
    out.add(keys.root);
    out.add(generation);
    for (const gate_product& product : products) {
        out.add(product.id);
        out.add(product.given);
        out.add(product.price);
        if (product.per_user_limit) {
            out.add(*product.per_user_limit);
        } else {
            out.add("");
        }
        add_time(out, product.sale_starts_at);
        add_time(out, product.sale_ends_at);
    }
    return out;
}

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

errc refusal_of(std::int64_t code) {
    switch (code) {
        case 1:
            return errc::product_not_found;
        case 2:
            return errc::sale_not_open;
        case 3:
            return errc::purchase_limit;
        case 4:
            return errc::out_of_stock;
        case 5:
            return errc::idempotency_key_reused;
        case 6:
            return errc::overloaded;
        default:
            return errc::outcome_unknown;
    }
}

decision decode_decision(const value& element, std::uint64_t generation, reservation& asked) {
    if (element.kind == value::type::integer) return std::unexpected(refusal_of(element.integer));

    std::string_view text = element.text;
    const std::string_view tag = take_word(text);
    grant out;
    if (tag == "g") {
        std::uint64_t seq = 0;
        if (!read_integer(take_word(text), seq) || !read_integer(text, out.unit_price)) {
            return std::unexpected(errc::outcome_unknown);
        }
        out.id = asked.id;
        out.event = std::move(asked.event);
        events::close_event(out.event, out.unit_price, generation, seq);
        return out;
    }
    const auto id = uuid::parse(take_word(text));
    if (!id || !read_integer(take_word(text), out.unit_price)) {
        return std::unexpected(errc::outcome_unknown);
    }
    out.id = *id;
    out.repeat = true;
    if (tag == "r") {
        out.recorded = true;
    } else if (tag == "p") {
        out.event = std::string(text);
    } else {
        return std::unexpected(errc::outcome_unknown);
    }
    return out;
}

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
            if (reply.elements.size() == 2 &&
                read_integer(reply.elements[1].text, stale.generation)) {
                return stale;
            }
            return {};
        }
        default:
            return {};
    }
}

std::vector<decision> decode_decisions(value reply, std::uint64_t generation,
                                       std::vector<reservation> batch) {
    std::vector<decision> out;
    out.reserve(batch.size());
    const bool fits = reply.elements.size() == batch.size() + 1;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (fits) {
            out.push_back(decode_decision(reply.elements[i + 1], generation, batch[i]));
        } else {
            out.emplace_back(std::unexpected(errc::outcome_unknown));
        }
    }
    return out;
}

}  // namespace flashsale::stock
