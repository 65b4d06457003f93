// The lease of a shard, the epochs of its gate with their tokens, and its fence: the tables
// shards, shard_tokens and fences.
//
// The lease keeps two from doing the same work; it is not what keeps the work right. A holder that
// sleeps through it and goes on publishes what is published already, or holds an epoch that is
// not the newest, which every later step asks for.
//
// A process that dies takes its session along, and the next one need not wait for the lease to run
// out. It does for one that is stopped, or cut off.

#include <flashsale/postgres.hpp>
#include <flashsale/stock/recovery.hpp>

namespace flashsale::stock {

namespace {

constexpr postgres::statement take_lease{
    "take_lease",
    "INSERT INTO shards AS s (shard, lease_holder, lease_until, lease_session)"
    " VALUES ($1, $2, now() + $3 * interval '1 ms', pg_backend_pid())"
    " ON CONFLICT (shard) DO UPDATE SET lease_holder = excluded.lease_holder,"
    "                                   lease_until = excluded.lease_until,"
    "                                   lease_session = excluded.lease_session"
    " WHERE s.lease_holder = $2 OR s.lease_until IS NULL OR s.lease_until < now() OR $4"
    "    OR NOT EXISTS (SELECT FROM pg_stat_get_activity(s.lease_session))"
    " RETURNING epoch, state, token"};
constexpr postgres::statement read_row{
    "read_shard_row",
    "SELECT epoch, state, token, coalesce(lease_until >= now(), false)"
    " AND EXISTS (SELECT FROM pg_stat_get_activity(lease_session)) FROM shards WHERE shard = $1"};
constexpr postgres::statement release_lease{
    "release_lease", "UPDATE shards SET lease_until = NULL WHERE shard = $1 AND lease_holder = $2"};
constexpr postgres::statement raise_epoch{
    "raise_epoch",
    "WITH raised AS (UPDATE shards SET state = 'rebuilding', epoch = epoch + 1, token = $3"
    "  WHERE shard = $1 AND lease_holder = $2 AND state <> 'never' RETURNING epoch)"
    " INSERT INTO shard_tokens (token, shard, epoch) SELECT $3, $1, epoch FROM raised"
    " RETURNING epoch"};
constexpr postgres::statement note_gate{
    "note_gate",
    "WITH noted AS (UPDATE shards SET state = 'rebuilding', epoch = greatest(epoch, $3)"
    "  WHERE shard = $1 AND lease_holder = $2 RETURNING shard),"
    " kept AS (INSERT INTO shard_tokens (token, shard, epoch)"
    "  SELECT $4, shard, $3 FROM noted ON CONFLICT DO NOTHING)"
    " SELECT FROM noted"};
constexpr postgres::statement find_older_tokens{
    "find_older_tokens",
    "SELECT token FROM shard_tokens WHERE shard = $1 AND epoch < $2 ORDER BY epoch"};
constexpr postgres::statement remove_tokens{
    "remove_tokens", "DELETE FROM shard_tokens WHERE token = ANY($1::uuid[])"};
constexpr postgres::statement change_token{
    "change_token",
    "WITH changed AS (UPDATE shards SET token = $4"
    "  WHERE shard = $1 AND epoch = $2 AND state = 'open' AND token = $3 RETURNING epoch)"
    " INSERT INTO shard_tokens (token, shard, epoch) SELECT $4, $1, epoch FROM changed"
    " RETURNING epoch"};
constexpr postgres::statement renew_attempt{
    "renew_attempt",
    "UPDATE shards SET lease_until = now() + $4 * interval '1 ms', lease_session = pg_backend_pid()"
    " WHERE shard = $1 AND lease_holder = $2 AND epoch = $3 AND state = 'rebuilding'"
    " RETURNING epoch"};
constexpr postgres::statement finish_attempt{
    "finish_attempt",
    "UPDATE shards SET state = 'open' WHERE shard = $1 AND epoch = $2 AND state = 'rebuilding'"
    " RETURNING epoch"};

constexpr std::string_view lock_fences = "LOCK TABLE fences IN ACCESS EXCLUSIVE MODE";
constexpr postgres::statement set_fence{
    "set_fence",
    "INSERT INTO fences AS f (shard, epoch) VALUES ($1, $2) ON CONFLICT (shard)"
    " DO UPDATE SET epoch = greatest(f.epoch, excluded.epoch)"};

shard_state::phase phase_of(std::string_view state) {
    using enum shard_state::phase;
    return state == "open"         ? open
           : state == "rebuilding" ? rebuilding
           : state == "opening"    ? opening
                                   : never;
}

std::expected<postgres::rows, std::string> run(postgres::session& database,
                                               const postgres::statement& what,
                                               const postgres::parameters& with) {
    auto done = database.execute(what, with);
    if (!done) return std::unexpected("stock database: " + done.error().message);
    return std::move(*done);
}

shard_state state_of(const postgres::rows& found) {
    return {phase_of(found.text(0, 1)), static_cast<std::uint64_t>(found.integer(0, 0)),
            found.is_null(0, 2) ? uuid{} : found.uuid(0, 2)};
}

}  // namespace

std::expected<std::optional<shard_state>, std::string> lease_shard(postgres::session& database,
                                                                   std::uint32_t shard,
                                                                   const uuid& holder,
                                                                   std::chrono::milliseconds time,
                                                                   bool by_force) {
    postgres::parameters with;
    with.integer(shard).uuid(holder).integer(time.count()).boolean(by_force);
    const auto taken = run(database, take_lease, with);
    if (!taken) return std::unexpected(taken.error());
    if (taken->empty()) return std::optional<shard_state>{};
    return state_of(*taken);
}

std::expected<shard_state, std::string> read_shard(postgres::session& database,
                                                   std::uint32_t shard) {
    const auto found = run(database, read_row, postgres::parameters().integer(shard));
    if (!found) return std::unexpected(found.error());
    if (found->empty()) return shard_state{};
    shard_state out = state_of(*found);
    out.leased = found->boolean(0, 3);
    return out;
}

std::expected<void, std::string> release_shard(postgres::session& database, std::uint32_t shard,
                                               const uuid& holder) {
    const auto done =
        run(database, release_lease, postgres::parameters().integer(shard).uuid(holder));
    if (!done) return std::unexpected(done.error());
    return {};
}

std::expected<std::optional<std::uint64_t>, std::string> begin_rebuild(postgres::session& database,
                                                                       std::uint32_t shard,
                                                                       const uuid& holder,
                                                                       const uuid& token) {
    const auto begun =
        run(database, raise_epoch, postgres::parameters().integer(shard).uuid(holder).uuid(token));
    if (!begun) return std::unexpected(begun.error());
    if (begun->empty()) return std::optional<std::uint64_t>{};
    return static_cast<std::uint64_t>(begun->integer(0, 0));
}

std::expected<bool, std::string> note_unknown_gate(postgres::session& database, std::uint32_t shard,
                                                   const uuid& holder, std::uint64_t epoch,
                                                   const uuid& token) {
    postgres::parameters with;
    with.integer(shard).uuid(holder).integer(static_cast<std::int64_t>(epoch)).uuid(token);
    const auto noted = run(database, note_gate, with);
    if (!noted) return std::unexpected(noted.error());
    return !noted->empty();
}

std::expected<std::vector<uuid>, std::string> older_tokens(postgres::session& database,
                                                           std::uint32_t shard,
                                                           std::uint64_t epoch) {
    const auto found =
        run(database, find_older_tokens,
            postgres::parameters().integer(shard).integer(static_cast<std::int64_t>(epoch)));
    if (!found) return std::unexpected(found.error());
    std::vector<uuid> out;
    for (std::size_t row = 0; row < found->size(); ++row)
        out.push_back(found->uuid(row, 0));
    return out;
}

std::expected<void, std::string> forget_tokens(postgres::session& database,
                                               std::span<const uuid> tokens) {
    const auto done = run(database, remove_tokens, postgres::parameters().uuids(tokens));
    if (!done) return std::unexpected(done.error());
    return {};
}

std::expected<bool, std::string> replace_token(postgres::session& database, std::uint32_t shard,
                                               std::uint64_t epoch, const uuid& old,
                                               const uuid& fresh) {
    postgres::parameters with;
    with.integer(shard).integer(static_cast<std::int64_t>(epoch)).uuid(old).uuid(fresh);
    const auto changed = run(database, change_token, with);
    if (!changed) return std::unexpected(changed.error());
    return !changed->empty();
}

std::expected<bool, std::string> renew_rebuild(postgres::session& database, std::uint32_t shard,
                                               const uuid& holder, std::uint64_t epoch,
                                               std::chrono::milliseconds time) {
    postgres::parameters with;
    with.integer(shard).uuid(holder).integer(static_cast<std::int64_t>(epoch));
    with.integer(time.count());
    const auto renewed = run(database, renew_attempt, with);
    if (!renewed) return std::unexpected(renewed.error());
    return !renewed->empty();
}

std::expected<bool, std::string> finish_rebuild(postgres::session& database, std::uint32_t shard,
                                                std::uint64_t epoch) {
    const auto finished =
        run(database, finish_attempt,
            postgres::parameters().integer(shard).integer(static_cast<std::int64_t>(epoch)));
    if (!finished) return std::unexpected(finished.error());
    return !finished->empty();
}

std::expected<void, std::string> raise_fence(postgres::session& database, std::uint32_t shard,
                                             std::uint64_t epoch) {
    const auto done =
        database.transaction([&](postgres::session& in) -> std::expected<void, postgres::error> {
            if (auto locked = in.execute(lock_fences); !locked)
                return std::unexpected(locked.error());
            postgres::parameters with;
            with.integer(shard).integer(static_cast<std::int64_t>(epoch));
            if (auto set = in.execute(set_fence, with); !set) return std::unexpected(set.error());
            return {};
        });
    if (!done) return std::unexpected("stock database: " + done.error().message);
    return {};
}

}  // namespace flashsale::stock
