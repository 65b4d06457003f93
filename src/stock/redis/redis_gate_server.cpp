// Every look is one INFO, which costs Redis about as much as two batches of orders.

#include <algorithm>
#include <charconv>
#include <functional>

#include <flashsale/redis.hpp>
#include <flashsale/stock/gate_server.hpp>

#include "redis_codec.hpp"
#include "redis_scripts.hpp"

namespace flashsale::stock {

namespace {

// Measured on Redis 7.0.15: a piece of 2,000 rows, its arguments and what the script makes of them
// take up to 1.0 MB at once. A hash's table has 8 bytes for each of its fields, which with all that
// belongs to them take 136 and more.
constexpr std::uint64_t loading_bytes_per_row = 512;
constexpr std::uint64_t data_per_table_growth = 16;

/// `name:value` in a line of its own.
std::string_view value_of(std::string_view info, std::string_view name) {
    for (std::size_t at = info.find(name); at != std::string_view::npos;
         at = info.find(name, at + 1)) {
        const bool begins = at == 0 || info[at - 1] == '\n';
        const std::size_t from = at + name.size();
        if (!begins || from >= info.size() || info[from] != ':') continue;
        const auto rest = info.substr(from + 1);
        return rest.substr(0, rest.find_first_of("\r\n"));
    }
    return {};
}

bool read_number(std::string_view info, std::string_view name, std::uint64_t& into) {
    const auto text = value_of(info, name);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc{} && end == text.data() + text.size();
}

std::expected<redis::value, std::string> ask(
    const waiting& wait, const std::function<void(callback<redis::result>)>& start) {
    auto reply = wait_for<redis::result>(wait, start);
    if (!reply) return std::unexpected("redis: " + reply.error().message);
    return std::move(*reply);
}

}  // namespace

std::uint64_t gate_server::free_bytes() const {
    return limit_bytes - std::min(limit_bytes, used_bytes);
}

std::uint64_t gate_server::rebuild_needs_bytes(std::size_t rows_max) const {
    return loading_bytes_per_row * rows_max + data_bytes / data_per_table_growth;
}

std::uint64_t gate_server::rebuild_lacks_bytes(std::size_t rows_max) const {
    const std::uint64_t needs = rebuild_needs_bytes(rows_max);
    return limit_bytes == 0 ? 0 : needs - std::min(needs, free_bytes());
}

std::string gate_server::memory_fault(std::size_t rows_max) const {
    return "Redis has " + std::to_string(free_bytes()) + " bytes left of maxmemory " +
           std::to_string(limit_bytes) + "; if its gate is lost, a rebuild needs " +
           std::to_string(rebuild_needs_bytes(rows_max)) +
           " and may fail: raise maxmemory, or recovery.load_rows_max may be lower";
}

std::string gate_server::eviction_fault() const {
    return "Redis may evict keys (maxmemory-policy " + policy +
           "), and would then sell units twice: set maxmemory-policy noeviction";
}

std::optional<gate_server> parse_gate_server(std::string_view info) {
    gate_server out;
    out.policy = value_of(info, "maxmemory_policy");
    out.replica = value_of(info, "role") != "master";
    std::uint64_t used = 0, uncounted = 0;
    const bool complete = read_number(info, "used_memory", used) &&
                          read_number(info, "mem_not_counted_for_evict", uncounted) &&
                          read_number(info, "maxmemory", out.limit_bytes) &&
                          read_number(info, "used_memory_dataset", out.data_bytes) &&
                          read_number(info, "lazyfree_pending_objects", out.freeing_objects) &&
                          read_number(info, "evicted_keys", out.evicted_keys);
    if (!complete || out.policy.empty()) return std::nullopt;
    out.used_bytes = used - std::min(used, uncounted);
    return out;
}

std::expected<gate_server, std::string> read_gate_server(const waiting& wait,
                                                         redis::client& client) {
    const std::string_view words[] = {"INFO", "memory", "stats", "replication"};
    const auto info = ask(wait, [&](auto done) { client.command(words, std::move(done)); });
    if (!info) return std::unexpected(info.error());
    const auto server = parse_gate_server(info->text);
    if (!server) return std::unexpected("redis: INFO answered nonsense");
    return *server;
}

/// Where the version before had the epoch in its header. A gate of its time is closed to every
/// script but open.lua, and is rebuilt; until then its record is compared with it as with any.
constexpr std::string_view epoch_before = "generation";

std::expected<std::optional<gate_header>, std::string> read_gate_header(
    const waiting& wait, redis::client& client, std::uint32_t shard,
    const redis_gate_options& options) {
    const shard_keys keys(options.key_prefix, shard);
    const std::string_view words[] = {"HMGET", keys.header, "epoch",     "evicted",
                                      "seq",   "state",     "token",     "deployment",
                                      "held",  "accepted",  epoch_before};
    const auto found = ask(wait, [&](auto done) { client.command(words, std::move(done)); });
    if (!found) return std::unexpected(found.error());
    if (found->elements.size() != 9) return std::unexpected("redis: HMGET answered nonsense");
    const auto& fields = found->elements;
    const auto number = [&](std::size_t at) -> std::optional<std::uint64_t> {
        if (fields[at].kind != redis::value::type::string) return std::nullopt;
        return std::strtoull(fields[at].text.c_str(), nullptr, 10);
    };
    const auto epoch = number(0) ? number(0) : number(8);
    if (!epoch) return std::optional<gate_header>{};
    return gate_header{.epoch = *epoch,
                       .evicted_keys = number(1),
                       .seq = number(2).value_or(0),
                       .state = fields[3].text,
                       .token = uuid::parse(fields[4].text).value_or(uuid{}),
                       .deployment = fields[5].text,
                       .held = fields[6].text,
                       .accepted = fields[7].text == "1"};
}

std::expected<bool, std::string> shut_gate(const waiting& wait, redis::client& client,
                                           std::uint32_t shard, std::uint64_t epoch,
                                           const redis_gate_options& options) {
    const shard_keys keys(options.key_prefix, shard);
    const std::string_view names[] = {keys.header};
    const std::string number = std::to_string(epoch);
    const std::string_view arguments[] = {"shut", number, options.deployment};
    const auto reply = ask(wait, [&](auto done) {
        client.evaluate(scripts().open, names, arguments, std::move(done));
    });
    if (!reply) return std::unexpected(reply.error());
    return reply->integer == 1;
}

// ---- evidence

std::optional<std::string> evicted_since(const gate_header& header, const gate_server& server) {
    const std::uint64_t before = header.evicted_keys.value_or(0);
    if (server.evicted_keys == before) return std::nullopt;
    if (server.evicted_keys < before) {
        return "Redis counts evicted keys anew, and may have evicted some since its gate was "
               "loaded";
    }
    return "Redis has evicted " + std::to_string(server.evicted_keys - before) +
           " keys since its gate was loaded";
}

std::optional<std::string> seq_watch::went_back(std::uint64_t epoch, std::uint64_t seq) {
    const bool back = epoch == epoch_ && seq < seq_;
    const std::uint64_t before = seq_;
    if (epoch != epoch_ || seq > seq_) {
        epoch_ = epoch;
        seq_ = seq;
    }
    if (!back) return std::nullopt;
    return "its gate was at seq " + std::to_string(before) + ", and is at " + std::to_string(seq) +
           ": older data was loaded into Redis";
}

std::optional<std::string> behind_its_record(std::int64_t product_id, std::int64_t supplied,
                                             std::int64_t stock,
                                             const std::optional<gate::levels::product>& at_gate) {
    const std::int64_t recorded = supplied - stock;
    const std::int64_t taken = at_gate ? at_gate->supplied - at_gate->free : 0;
    if (taken >= recorded) return std::nullopt;
    return "of product " + std::to_string(product_id) + " " + std::to_string(recorded) +
           " units are taken by the record, and " + std::to_string(taken) +
           " at the gate: older data was loaded into Redis, or keys are missing";
}

}  // namespace flashsale::stock
