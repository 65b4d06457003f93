// Opens the gate of a shard that was never open. A shard that was open once and whose gate is gone
// is another matter: it may have lost grants, and stays closed until it is rebuilt from the
// record.
//
// The stock database decides which process opens, and the gate obeys only that epoch:
//   1. database  never|opening -> opening, epoch + 1, and a token that was never used
//   2. log       takes events of that token
//   3. gate      a header of that epoch that grants nothing ('loading'); an empty shard needs
//                nothing else
//   4. database  opening -> open, if the epoch is still ours
//   5. gate      'loading' -> 'open', if the header is still ours
// Two processes at once: the later epoch wins at 3 and 4, and the earlier one's flip finds a
// header that is not its own; its token is in the log for nothing. A crash after 4 is mended by
// the process that starts next: the epoch is in the database, and the flip may be repeated for
// as long as the header is there, untouched.

#include <spdlog/spdlog.h>

#include <stdexcept>
#include <thread>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/redis.hpp>
#include <flashsale/stock/gate_server.hpp>
#include <flashsale/stock/module.hpp>

#include "redis_codec.hpp"
#include "redis_scripts.hpp"

namespace flashsale::embedded {
extern const std::string_view lua_reserve;
extern const std::string_view lua_give;
extern const std::string_view lua_open;
extern const std::string_view lua_inspect;
extern const std::string_view lua_load;
}  // namespace flashsale::embedded

namespace flashsale::stock {

namespace {

using faults::guard;

std::string_view checked_server(std::string_view text) {
    return faults::without(guard::server_identity, text, " or header[3] ~= server", "");
}

std::string_view checked_epoch(std::string_view text) {
    return faults::without(guard::epoch, text,
                           "if header[2] ~= epoch then return {2, header[2]} end", "");
}

std::string_view reserve_source() {
    std::string_view text = faults::without(guard::server_identity, embedded::lua_reserve,
                                            "if not same then return {1} end", "");
    text = checked_epoch(text);
    text =
        faults::without(guard::outbox, text, "redis.call('HSET', outbox_key, unpack(entries))", "");
    return faults::without(guard::idempotency_record, text, "            if record then",
                           "            if false then");
}

std::string_view give_source() {
    const auto text = checked_epoch(checked_server(embedded::lua_give));
    return faults::without(guard::supplied, text,
                           "        redis.call('HSET', key, 'supplied', supplied)\n", "");
}

}  // namespace

const gate_scripts& scripts() {
    static const gate_scripts all{
        redis::script(reserve_source()),
        redis::script(give_source()),
        redis::script(faults::without(guard::identity, embedded::lua_open,
                                      "if header[5] and header[5] ~= deployment then return -1 end",
                                      "")),
        redis::script(checked_server(embedded::lua_inspect)),
        redis::script(embedded::lua_load),
    };
    return all;
}

namespace {

constexpr postgres::statement insert_shard{
    "insert_shard", "INSERT INTO shards (shard) VALUES ($1) ON CONFLICT DO NOTHING"};
constexpr postgres::statement read_shard{"read_shard",
                                         "SELECT epoch, state FROM shards WHERE shard = $1"};
constexpr postgres::statement begin_opening{
    "begin_opening",
    "WITH begun AS (UPDATE shards SET state = 'opening', epoch = epoch + 1, token = $2"
    "  WHERE shard = $1 AND state IN ('never', 'opening') RETURNING epoch)"
    " INSERT INTO shard_tokens (token, shard, epoch) SELECT $2, $1, epoch FROM begun"
    " RETURNING epoch"};
constexpr postgres::statement finish_opening{
    "finish_opening",
    "UPDATE shards SET state = 'open' WHERE shard = $1 AND epoch = $2 AND state = 'opening'"};

postgres::rows must(postgres::result result) {
    if (!result) throw std::runtime_error("stock database: " + result.error().message);
    return std::move(*result);
}

/// A server that may evict keys would sell units again that it forgot to have sold.
void check_server(const waiting& wait, redis::client& client, std::uint32_t shard,
                  const redis_gate_options& options) {
    const auto server = read_gate_server(wait, client);
    if (!server) throw std::runtime_error(server.error());
    if (server->may_evict()) throw std::runtime_error(server->eviction_fault());
    if (server->rebuild_lacks_bytes(options.load_rows_max) > 0)
        spdlog::warn("shard {}: {}", shard, server->memory_fault(options.load_rows_max));
}

/// True if the gate's header is now (or was already) in the step asked for.
bool run_open_script(const waiting& wait, redis::client& client, const shard_keys& keys,
                     std::string_view step, std::uint64_t epoch, const std::string& deployment,
                     const std::string& token = {}) {
    const std::string_view names[] = {keys.header};
    const std::string number = std::to_string(epoch);
    const std::string_view arguments[] = {step, number, deployment, token};
    const auto reply = wait_for<redis::result>(wait, [&](auto done) {
        client.evaluate(scripts().open, names, arguments, std::move(done));
    });
    if (!reply) throw std::runtime_error("redis: " + reply.error().message);
    if (reply->integer == another_deployments) throw another_deployment(keys.header);
    return reply->integer == 1;
}

void open_shard(const waiting& wait, postgres::session& database, redis::client& client,
                std::uint32_t shard, shard_epochs& epochs, const redis_gate_options& options,
                const bind_token& bind) {
    const shard_keys keys(options.key_prefix, shard);
    const std::string& deployment = options.deployment;
    check_server(wait, client, shard, options);
    must(database.execute(insert_shard, postgres::parameters().integer(shard)));
    auto row = must(database.execute(read_shard, postgres::parameters().integer(shard)));
    std::uint64_t epoch = static_cast<std::uint64_t>(row.integer(0, 0));
    std::string state(row.text(0, 1));

    if (state == "never" || state == "opening") {
        const uuid token = uuid_generator().make(shard);
        auto begun = must(
            database.execute(begin_opening, postgres::parameters().integer(shard).uuid(token)));
        if (!begun.empty()) {
            epoch = static_cast<std::uint64_t>(begun.integer(0, 0));
            if (const auto bound = bind(token); !bound) throw log_unavailable(bound.error());
            if (run_open_script(wait, client, keys, "load", epoch, deployment, token.to_string())) {
                must(database.execute(finish_opening, postgres::parameters().integer(shard).integer(
                                                          static_cast<std::int64_t>(epoch))));
            }
        }
        row = must(database.execute(read_shard, postgres::parameters().integer(shard)));
        epoch = static_cast<std::uint64_t>(row.integer(0, 0));
        state = row.text(0, 1);
    }
    epochs.raise(shard, epoch);
    if (state != "open" || !run_open_script(wait, client, keys, "flip", epoch, deployment)) {
        spdlog::warn(
            "shard {} (epoch {}) has no gate that can be trusted: orders are "
            "answered 503 rebuilding",
            shard, epoch);
    }
}

/// The header's deployment; empty: there is none.
std::string deployment_at(const waiting& wait, redis::client& client, const shard_keys& keys) {
    const std::string_view command[] = {"HGET", keys.header, "deployment"};
    const auto reply =
        wait_for<redis::result>(wait, [&](auto done) { client.command(command, std::move(done)); });
    if (!reply) throw std::runtime_error("redis: " + reply.error().message);
    return reply->text;
}

/// A shard whose gate is not on its own server, but on that of another: the servers are named in
/// another order than before, and each would be rebuilt where the other was.
void require_order(const waiting& wait, const std::vector<redis::client*>& servers,
                   const redis_gate_options& options) {
    if (faults::without(guard::identity)) return;
    for (std::uint32_t shard = 0; shard < servers.size(); ++shard) {
        const shard_keys keys(options.key_prefix, shard);
        if (!deployment_at(wait, *servers[shard], keys).empty()) continue;
        for (std::size_t other = 0; other < servers.size(); ++other) {
            if (other == shard || deployment_at(wait, *servers[other], keys) != options.deployment)
                continue;
            throw std::runtime_error(
                "redis.url: the gate " + keys.header + " is on server " +
                std::to_string(other + 1) + " of the list, and looked for on server " +
                std::to_string(shard + 1) + ": name the servers in the order that they had");
        }
    }
}

}  // namespace

/// A server that may evict keys would sell units again that it forgot to have sold.
void require_noeviction(const waiting& wait, redis::client& client) {
    const auto server = read_gate_server(wait, client);
    if (!server) throw std::runtime_error(server.error());
    if (server->may_evict()) throw std::runtime_error(server->eviction_fault());
}

void open_new_shards(const waiting& wait, postgres::session& database,
                     std::vector<redis::client*> shards, shard_epochs& epochs,
                     const redis_gate_options& options, const bind_token& bind,
                     std::span<const std::uint32_t> except) {
    require_order(wait, shards, options);
    for (std::uint32_t shard = 0; shard < shards.size(); ++shard) {
        if (std::ranges::find(except, shard) != except.end()) continue;
        open_shard(wait, database, *shards[shard], shard, epochs, options, bind);
    }
}

}  // namespace flashsale::stock
