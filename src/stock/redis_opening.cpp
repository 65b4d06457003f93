// Opens the gate of a shard that was never open. A shard that was open once and whose gate is gone
// is another matter: it may have lost grants, and stays closed until it is reopened from the
// record.
//
// The stock database decides who opens, and the gate obeys only that generation:
//   1. database  never|opening -> opening, generation + 1
//   2. gate      a header of that generation that grants nothing ('loading'); an empty shard needs
//                nothing else
//   3. database  opening -> open, if the generation is still ours
//   4. gate      'loading' -> 'open', if the header is still ours
// Two processes at once: the later generation wins at 2 and 3, and the earlier one's flip finds a
// header that is not its own. A crash after 3 is mended by whoever starts next: the generation is
// in the database, and the flip may be repeated for as long as the header is there, untouched.

#include <spdlog/spdlog.h>

#include <stdexcept>
#include <thread>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/redis.hpp>
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

std::string_view checked_incarnation(std::string_view text) {
    return faults::without(guard::incarnation, text, " or header[3] ~= incarnation", "");
}

std::string_view checked_generation(std::string_view text) {
    return faults::without(guard::generation, text,
                           "if header[2] ~= generation then return {2, header[2]} end", "");
}

std::string_view reserve_source() {
    std::string_view text = faults::without(guard::incarnation, embedded::lua_reserve,
                                            "if not same then return {1} end", "");
    text = checked_generation(text);
    text =
        faults::without(guard::outbox, text, "redis.call('HSET', outbox_key, unpack(entries))", "");
    return faults::without(guard::idempotency_record, text, "            if record then",
                           "            if false then");
}

std::string_view give_source() {
    const auto text = checked_generation(checked_incarnation(embedded::lua_give));
    return faults::without(guard::given, text, "        redis.call('HSET', key, 'given', given)\n",
                           "");
}

}  // namespace

const gate_scripts& scripts() {
    static const gate_scripts all{
        redis::script(reserve_source()),
        redis::script(give_source()),
        redis::script(embedded::lua_open),
        redis::script(checked_incarnation(embedded::lua_inspect)),
        redis::script(embedded::lua_load),
    };
    return all;
}

namespace {

constexpr postgres::statement insert_shard{
    "insert_shard", "INSERT INTO shards (shard) VALUES ($1) ON CONFLICT DO NOTHING"};
constexpr postgres::statement read_shard{"read_shard",
                                         "SELECT generation, state FROM shards WHERE shard = $1"};
constexpr postgres::statement begin_opening{
    "begin_opening",
    "UPDATE shards SET state = 'opening', generation = generation + 1 "
    "WHERE shard = $1 AND state IN ('never', 'opening') RETURNING generation"};
constexpr postgres::statement finish_opening{
    "finish_opening",
    "UPDATE shards SET state = 'open' WHERE shard = $1 AND generation = $2 AND state = 'opening'"};

postgres::rows must(postgres::result result) {
    if (!result) throw std::runtime_error("stock database: " + result.error().message);
    return std::move(*result);
}

/// True if the gate's header is now (or was already) in the step asked for.
bool run_open_script(asio::io_context& io, redis::client& client, const shard_keys& keys,
                     std::string_view step, std::uint64_t generation) {
    const std::string_view names[] = {keys.header};
    const std::string number = std::to_string(generation);
    const std::string_view arguments[] = {step, number};
    std::optional<redis::result> reply;
    client.evaluate(scripts().open, names, arguments,
                    [&reply](redis::result result) { reply = std::move(result); });
    io.restart();
    while (!reply)
        io.run_one();
    if (!*reply) throw std::runtime_error("redis: " + reply->error().message);
    return (*reply)->integer == 1;
}

void open_shard(asio::io_context& io, postgres::session& database, redis::client& client,
                std::uint32_t shard, shard_generations& generations, const shard_keys& keys) {
    require_noeviction(io, client);
    must(database.execute(insert_shard, postgres::parameters().integer(shard)));
    auto row = must(database.execute(read_shard, postgres::parameters().integer(shard)));
    std::uint64_t generation = static_cast<std::uint64_t>(row.integer(0, 0));
    std::string state(row.text(0, 1));

    if (state == "never" || state == "opening") {
        auto begun = must(database.execute(begin_opening, postgres::parameters().integer(shard)));
        if (!begun.empty()) {
            generation = static_cast<std::uint64_t>(begun.integer(0, 0));
            if (run_open_script(io, client, keys, "load", generation)) {
                must(database.execute(finish_opening, postgres::parameters().integer(shard).integer(
                                                          static_cast<std::int64_t>(generation))));
            }
        }
        row = must(database.execute(read_shard, postgres::parameters().integer(shard)));
        generation = static_cast<std::uint64_t>(row.integer(0, 0));
        state = row.text(0, 1);
    }
    generations.raise(shard, generation);
    if (state != "open" || !run_open_script(io, client, keys, "flip", generation)) {
        spdlog::warn(
            "shard {} (generation {}) has no gate that can be trusted: orders are "
            "answered 503 reopening",
            shard, generation);
    }
}

}  // namespace

void require_noeviction(asio::io_context& io, redis::client& client) {
    const std::string_view command[] = {"INFO", "memory"};
    std::optional<redis::result> reply;
    client.command(command, [&reply](redis::result result) { reply = std::move(result); });
    io.restart();
    while (!reply)
        io.run_one();
    if (!*reply) throw std::runtime_error("redis: " + reply->error().message);
    if ((*reply)->text.find("maxmemory_policy:noeviction") == std::string::npos) {
        throw std::runtime_error(
            "Redis may evict keys, and would then sell units twice: set maxmemory-policy "
            "noeviction");
    }
}

void open_new_shards(asio::io_context& io, postgres::session& database,
                     std::vector<redis::client*> shards, shard_generations& generations,
                     const redis_gate_options& options) {
    for (std::uint32_t shard = 0; shard < shards.size(); ++shard) {
        open_shard(io, database, *shards[shard], shard, generations,
                   shard_keys(options.key_prefix, shard));
    }
}

}  // namespace flashsale::stock
