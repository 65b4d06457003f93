#include <flashsale/events/event.hpp>

#include <flashsale/base/json_fields.hpp>
#include <limits>

namespace flashsale::events {

namespace json = boost::json;

namespace {

constexpr std::int64_t version = 1;
constexpr std::string_view order_accepted_name = "order_accepted";
constexpr std::string_view stock_reduced_name = "stock_reduced";
constexpr std::string_view barrier_name = "barrier";
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

}  // namespace

void append_open_event(std::string& out, const event_head& what) {
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

std::string open_event(const event& what) {
    std::string out;
    out.reserve(320);
    append_open_event(out, {what.what, what.id, what.shard, what.user_id, what.product_id,
                            what.quantity, what.idempotency_key, what.created_at});
    return out;
}

void close_event(std::string& head, std::int64_t unit_price, std::uint64_t generation,
                 std::uint64_t seq) {
    head.append(R"(,"unit_price":)");
    append_integer(head, unit_price);
    head.append(R"(,"generation":)");
    append_integer(head, generation);
    head.append(R"(,"seq":)");
    append_integer(head, seq);
    head.push_back('}');
}

std::string text_of(const event& what) {
    if (what.what != event::kind::barrier) {
        std::string text = open_event(what);
        close_event(text, what.unit_price, what.generation, what.seq);
        return text;
    }
    std::string out = R"({"version":1,"type":"barrier","id":")";
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
    constexpr std::string_view name = R"("id":")";
    constexpr std::size_t length = 36;
    const auto found = text.find(name);
    if (found == std::string_view::npos || text.size() < found + name.size() + length) return {};
    return uuid::parse(text.substr(found + name.size(), length));
}

std::expected<event, std::string> decode(const json::value& value) {
    const auto fail = [](const field_fault& fault) {
        return std::unexpected(fault.field + ": " + fault.expected);
    };
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
    out.unit_price = fields.integer("unit_price", 0, int64_max);
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
