#include <flashsale/events/event.hpp>

#include <flashsale/base/json_fields.hpp>

#include "event_fields.hpp"

namespace flashsale::events {

namespace json = boost::json;

namespace {

// ---- writing

void append_value(std::string& out, const uuid& id) {
    out.push_back('"');
    id.append_to(out);
    out.push_back('"');
}

template <std::integral Integer>
void append_value(std::string& out, Integer number) {
    using widest = std::conditional_t<std::is_signed_v<Integer>, std::int64_t, std::uint64_t>;
    append_integer(out, widest{number});
}

void append_value(std::string& out, std::string_view text) {
    append_json_string(out, text);
}

void append_value(std::string& out, timestamp time) {
    out.push_back('"');
    out.append(to_rfc3339(time));
    out.push_back('"');
}

template <class Amount, class Currency, class Window>
void append_value(std::string& out, const price_field<Amount, Currency, Window>& price) {
    if (!price.is_a_number()) out.push_back('"');
    append_price(out, price.amount, price.currency, price.payment_window_s);
    if (!price.is_a_number()) out.push_back('"');
}

template <class Event>
void append_in_full(std::string& out, const Event& what) {
    out.append(opening_in_full).append(Event::type).push_back('"');
    for_each_field(what, [&out](const field& of, const auto& value) {
        out.append(R"(,")").append(of.name).append(R"(":)");
        append_value(out, value);
        return true;
    });
    out.push_back('}');
}

template <class Order>
void append_in_short(std::string& out, const Order& what) {
    out.append(opening_in_short);
    for_each_field(what, [&out](const field& of, const auto& value) {
        if (!of.in_short) return true;
        out.push_back(',');
        append_value(out, value);
        return true;
    });
    out.push_back(']');
}

template <class Event>
std::string in_full(const Event& what) {
    std::string out;
    out.reserve(320);
    append_in_full(out, what);
    return out;
}

// ---- reading

/// The same order in full; nullopt: no array of this version's columns. A later version may add
/// columns at the end.
std::optional<json::object> in_full(const json::array& columns) {
    if (columns.empty() || columns[0] != version_in_short) return std::nullopt;
    json::object out{{"version", version_in_full}, {"type", order_accepted::type}};
    std::size_t next = 1;
    const order_accepted order;
    const bool all = for_each_field(order, [&](const field& of, const auto&) {
        if (!of.in_short) return true;
        if (next == columns.size()) return false;
        out.emplace(of.name, columns[next++]);
        return true;
    });
    if (!all) return std::nullopt;
    const auto* text = out[table::id.name].if_string();
    if (const auto id = text ? uuid::parse(*text) : std::nullopt) {
        out.emplace(table::shard.name, std::int64_t{id->shard()});  // as it would be parsed
        out.emplace(table::created_at.name, to_rfc3339(id->time()));
    }
    return out;
}

/// Reads the fields of an object into an event; false at the first fault.
class field_reader {
public:
    field_reader(const json::object& from, json_fields& fields) : from_(from), fields_(fields) {}

    bool operator()(const field& of, uuid& out) {
        const auto id = uuid::parse(fields_.text(of.name, 36, 36));
        if (id) out = *id;
        return id || fail(of, "a UUID");
    }
    template <std::integral Integer>
    bool operator()(const field& of, Integer& out) {
        const bool before =
            !of.name_before.empty() && !from_.contains(of.name) && from_.contains(of.name_before);
        out = static_cast<Integer>(
            fields_.integer(before ? of.name_before : of.name, of.min, of.max));
        return !fault();
    }
    bool operator()(const field& of, std::string& out) {
        out = fields_.text(of.name, static_cast<std::size_t>(of.min),
                           static_cast<std::size_t>(of.max));
        return !fault();
    }
    bool operator()(const field& of, timestamp& out) {
        const auto time = fields_.optional_time(of.name);
        if (time) out = *time;
        if (fault()) return false;
        return time || fail(of, "this field is required");
    }
    template <class Amount, class Currency, class Window>
    bool operator()(const field& of, price_field<Amount, Currency, Window>& out) {
        const json::value* price = from_.if_contains(of.name);
        if (price == nullptr || !price->is_string()) return (*this)(of, out.amount);
        return read_price(fields_.any_text(of.name), out.amount, out.currency,
                          out.payment_window_s) ||
               fail(of, "an integer, or one, a currency's code and +seconds as a string");
    }

    const std::optional<field_fault>& fault() const { return own_ ? own_ : fields_.first_fault(); }

private:
    bool fail(const field& of, std::string expected) {
        own_ = field_fault{std::string(of.name), std::move(expected)};
        return false;
    }

    const json::object& from_;
    json_fields& fields_;
    std::optional<field_fault> own_;
};

/// An empty event of this type; nullopt: there is no such type.
template <class... Kinds>
std::optional<event> event_of_type(std::string_view type, std::variant<Kinds...>*) {
    std::optional<event> out;
    (void)((type == Kinds::type && (out.emplace(Kinds{}), true)) || ...);
    return out;
}

}  // namespace

const event_base& base_of(const event& what) {
    return std::visit([](const event_base& one) -> const event_base& { return one; }, what);
}

event_base& base_of(event& what) {
    return std::visit([](event_base& one) -> event_base& { return one; }, what);
}

std::optional<std::uint64_t> seq_of(const event& what) {
    return std::visit(
        [](const auto& one) -> std::optional<std::uint64_t> {
            if constexpr (requires { one.seq; }) return one.seq;
            return std::nullopt;
        },
        what);
}

void append_granted(std::string& out, const order_accepted_view& what) {
    append_in_short(out, what);
}

void append_granted(std::string& out, const stock_reduced_view& what) {
    append_in_full(out, what);
}

std::string granted_text(const order_accepted& what) {
    std::string out;
    append_in_short(out, what);
    return out;
}

std::string granted_text(const stock_reduced& what) {
    return in_full(what);
}

std::string text_of(const order_accepted& what) {
    return in_full(what);
}

std::string text_of(const stock_reduced& what) {
    return in_full(what);
}

std::string text_of(const barrier& what) {
    return in_full(what);
}

std::string text_of(const event& what) {
    return std::visit([](const auto& one) { return in_full(one); }, what);
}

std::optional<uuid> id_of(std::string_view text) {
    // Before it come the version and the type, which hold no such text.
    const std::string_view name = text.starts_with('[') ? R"([2,")" : R"("id":")";
    constexpr std::size_t length = 36;
    const auto found = text.find(name);
    if (found == std::string_view::npos || text.size() < found + name.size() + length) return {};
    return uuid::parse(text.substr(found + name.size(), length));
}

std::expected<event, std::string> decode(const json::value& value) {
    const auto fail = [](const field_fault& fault) {
        return std::unexpected(fault.field + ": " + fault.expected);
    };
    if (const auto* columns = value.if_array()) {
        const auto order = in_full(*columns);
        if (!order) return fail({"event", "an object, or an array of version 2"});
        return decode(*order);
    }
    if (!value.is_object()) return fail({"event", "a JSON object"});
    // `finish` is not asked: members that a later version adds are not this version's business.
    json_fields fields(value);
    if (fields.integer("version", 1, std::numeric_limits<std::int64_t>::max()) != version_in_full)
        return fail({"version", "1"});
    auto out = event_of_type(fields.text("type", 1, 64), static_cast<event*>(nullptr));
    if (!out) return fail({"type", "order_accepted, stock_reduced or barrier"});
    field_reader read(value.get_object(), fields);
    const bool whole =
        std::visit([&read](auto& one) { return for_each_field(one, std::ref(read)); }, *out);
    if (!whole) return fail(*read.fault());
    return std::move(*out);
}

std::expected<event, std::string> parse(std::string_view text) {
    json::error_code error;
    const json::value value = json::parse(text, error);
    if (error) return std::unexpected("not JSON: " + error.message());
    return decode(value);
}

}  // namespace flashsale::events
