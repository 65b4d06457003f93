#include <flashsale/events/event.hpp>

#include <array>
#include <flashsale/base/json_fields.hpp>
#include <flashsale/base/must_hold.hpp>
#include <limits>

namespace flashsale::events {

namespace json = boost::json;

namespace {

constexpr std::int64_t version = 1;
constexpr std::int64_t version_in_short = 2;
constexpr std::string_view order_accepted_name = "order_accepted";
constexpr std::string_view stock_reduced_name = "stock_reduced";
constexpr std::string_view barrier_name = "barrier";
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

void append_open_short(std::string& out, const event_head& what) {
    out.append(R"([2,")");
    what.id.append_to(out);
    out.append(R"(",)");
    append_integer(out, what.user_id);
    out.push_back(',');
    append_integer(out, what.product_id);
    out.push_back(',');
    append_integer(out, what.quantity);
    out.push_back(',');
    append_json_string(out, what.idempotency_key);
}

void append_open_full(std::string& out, const event_head& what) {
    const bool order = what.what == event::kind::order_accepted;
    out.append(R"({"version":1,"type":")").append(order ? order_accepted_name : stock_reduced_name);
    out.append(R"(","id":")");
    what.id.append_to(out);
    out.append(R"(","shard":)");
    append_integer(out, static_cast<std::uint64_t>(what.shard));
    if (order) {
        out.append(R"(,"user_id":)");
        append_integer(out, what.user_id);
    }
    out.append(R"(,"product_id":)");
    append_integer(out, what.product_id);
    out.append(R"(,"quantity":)");
    append_integer(out, what.quantity);
    out.append(R"(,"idempotency_key":)");
    append_json_string(out, what.idempotency_key);
    out.append(R"(,"created_at":")").append(to_rfc3339(what.created_at)).push_back('"');
}

event_head head_of(const event& what) {
    return {what.what,       what.id,       what.shard,           what.user_id,
            what.product_id, what.quantity, what.idempotency_key, what.created_at};
}

/// The same order in full; nullopt: no array of this version's columns. A later version may add
/// columns at the end.
std::optional<json::object> in_full(const json::array& columns) {
    constexpr std::array names{"version",    "id",         "user_id",
                               "product_id", "quantity",   "idempotency_key",
                               "unit_price", "generation", "seq"};
    if (columns.size() < names.size() || columns[0] != version_in_short) return std::nullopt;
    json::object out;
    for (std::size_t i = 0; i < names.size(); ++i)
        out.emplace(names[i], columns[i]);
    out["version"] = version;
    out.emplace("type", order_accepted_name);
    const auto* text = columns[1].if_string();
    if (const auto id = text ? uuid::parse(*text) : std::nullopt) {
        out.emplace("shard", std::int64_t{id->shard()});  // as it would be parsed
        out.emplace("created_at", to_rfc3339(id->time()));
    }
    return out;
}

}  // namespace

void append_open_event(std::string& out, const event_head& what) {
    if (what.what == event::kind::order_accepted) {
        append_open_short(out, what);
    } else {
        append_open_full(out, what);
    }
}

std::string open_event(const event& what) {
    std::string out;
    out.reserve(160);
    append_open_event(out, head_of(what));
    return out;
}

void close_event(std::string& head, std::int64_t unit_price, std::uint64_t generation,
                 std::uint64_t seq, currency_code currency) {
    must_hold(!head.empty(), "an event that is closed was opened");
    const bool in_short = head.starts_with('[');
    head.append(in_short ? "," : R"(,"unit_price":)");
    if (!currency.is_none()) head.push_back('"');
    append_price(head, unit_price, currency);
    if (!currency.is_none()) head.push_back('"');
    head.append(in_short ? "," : R"(,"generation":)");
    append_integer(head, generation);
    head.append(in_short ? "," : R"(,"seq":)");
    append_integer(head, seq);
    head.push_back(in_short ? ']' : '}');
}

std::string text_of(const event& what) {
    std::string out;
    out.reserve(320);
    if (what.what != event::kind::barrier) {
        append_open_full(out, head_of(what));
        close_event(out, what.unit_price, what.generation, what.seq, what.currency);
        return out;
    }
    out = R"({"version":1,"type":"barrier","id":")";
    what.id.append_to(out);
    out.append(R"(","shard":)");
    append_integer(out, static_cast<std::uint64_t>(what.shard));
    out.append(R"(,"created_at":")").append(to_rfc3339(what.created_at));
    out.append(R"(","generation":)");
    append_integer(out, what.generation);
    out.push_back('}');
    return out;
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
    // `finish` is not asked: members that a later version adds are not this version's business.
    json_fields fields(value);
    event out;
    if (!value.is_object()) return fail({"event", "a JSON object"});
    if (fields.integer("version", 1, int64_max) != version) return fail({"version", "1"});

    const std::string type = fields.text("type", 1, 64);
    if (type == stock_reduced_name) {
        out.what = event::kind::stock_reduced;
    } else if (type == barrier_name) {
        out.what = event::kind::barrier;
    } else if (type != order_accepted_name) {
        return fail({"type", "order_accepted, stock_reduced or barrier"});
    }
    if (const auto id = uuid::parse(fields.text("id", 36, 36))) {
        out.id = *id;
    } else {
        return fail({"id", "a UUID"});
    }
    out.shard = static_cast<std::uint32_t>(fields.integer("shard", 0, 4'095));
    const auto created_at = fields.optional_time("created_at");
    if (created_at) out.created_at = *created_at;
    out.generation = static_cast<std::uint64_t>(fields.integer("generation", 0, int64_max));
    if (!created_at) fields.fault("created_at", "this field is required");
    if (out.what == event::kind::barrier) {
        if (const auto fault = fields.first_fault()) return fail(*fault);
        return out;
    }
    if (out.what == event::kind::order_accepted)
        out.user_id = fields.integer("user_id", 1, int64_max);
    out.product_id = fields.integer("product_id", 1, int64_max);
    out.quantity = fields.integer("quantity", 1, (std::int64_t{1} << 53) - 1);
    out.idempotency_key = fields.text("idempotency_key", 1, 255);
    const json::value* price = value.get_object().if_contains("unit_price");
    if (price != nullptr && price->is_string()) {
        if (!read_price(fields.any_text("unit_price"), out.unit_price, out.currency))
            return fail({"unit_price", "an integer, or one and a currency's code as a string"});
    } else {
        out.unit_price = fields.integer("unit_price", 0, int64_max);
    }
    out.seq = static_cast<std::uint64_t>(fields.integer("seq", 1, int64_max));
    if (const auto fault = fields.first_fault()) return fail(*fault);
    return out;
}

std::expected<event, std::string> parse(std::string_view text) {
    json::error_code error;
    const json::value value = json::parse(text, error);
    if (error) return std::unexpected("not JSON: " + error.message());
    return decode(value);
}

}  // namespace flashsale::events
