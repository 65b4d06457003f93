#include <flashsale/order/recovery.hpp>
#include <flashsale/postgres.hpp>

namespace flashsale::order {

namespace {

constexpr postgres::statement find_barrier{"find_barrier", "SELECT FROM barriers WHERE id = $1"};
constexpr postgres::statement find_known{
    "find_known_events",
    "SELECT id FROM orders WHERE id = ANY($1::uuid[])"
    " UNION SELECT event_id FROM parked WHERE event_id = ANY($1::uuid[])"
    " UNION SELECT event_id FROM late WHERE event_id = ANY($1::uuid[])"};
constexpr std::string_view lock_fences = "LOCK TABLE fences IN ACCESS EXCLUSIVE MODE";
constexpr postgres::statement set_fence{
    "set_fence",
    "INSERT INTO fences AS f (shard, epoch) VALUES ($1, $2) ON CONFLICT (shard)"
    " DO UPDATE SET epoch = greatest(f.epoch, excluded.epoch)"};
constexpr postgres::statement note_fence{
    "note_fence",
    "INSERT INTO raised_fences (shard, epoch, begun_at) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING"};
constexpr postgres::statement in_recovery{"in_recovery", "SELECT pg_is_in_recovery()"};

std::unexpected<std::string> fault_of(const postgres::result& failed) {
    return std::unexpected("order database: " + failed.error().message);
}

}  // namespace

std::expected<bool, std::string> barrier_recorded(postgres::session& database,
                                                  const uuid& barrier) {
    const auto found = database.execute(find_barrier, postgres::parameters().uuid(barrier));
    if (!found) return fault_of(found);
    return !found->empty();
}

std::expected<std::vector<uuid>, std::string> known_events(postgres::session& database,
                                                           std::span<const uuid> ids) {
    const auto found = database.execute(find_known, postgres::parameters().uuids(ids));
    if (!found) return fault_of(found);
    std::vector<uuid> out;
    out.reserve(found->size());
    for (std::size_t row = 0; row < found->size(); ++row)
        out.push_back(found->uuid(row, 0));
    return out;
}

std::expected<void, std::string> raise_fence(postgres::session& database, std::uint32_t shard,
                                             std::uint64_t epoch, timestamp begun_at) {
    const auto done =
        database.transaction([&](postgres::session& in) -> std::expected<void, postgres::error> {
            if (auto locked = in.execute(lock_fences); !locked)
                return std::unexpected(locked.error());
            postgres::parameters with;
            with.integer(shard).integer(static_cast<std::int64_t>(epoch));
            if (auto set = in.execute(set_fence, with); !set) return std::unexpected(set.error());
            with.time(begun_at);
            if (auto set = in.execute(note_fence, with); !set) return std::unexpected(set.error());
            return {};
        });
    if (!done) return std::unexpected("order database: " + done.error().message);
    return {};
}

namespace {

class postgres_recovery_store final : public recovery_store {
public:
    explicit postgres_recovery_store(postgres::session& database) : database_(database) {}

    std::expected<bool, std::string> barrier_recorded(const uuid& barrier) override {
        return order::barrier_recorded(database_, barrier);
    }
    std::expected<std::vector<uuid>, std::string> known_events(std::span<const uuid> ids) override {
        return order::known_events(database_, ids);
    }
    std::expected<void, std::string> raise_fence(std::uint32_t shard, std::uint64_t epoch,
                                                 timestamp begun_at) override {
        return order::raise_fence(database_, shard, epoch, begun_at);
    }
    std::expected<known_seqs, std::string> find_known_seqs(
        std::uint32_t shard, std::uint32_t shards, std::uint64_t epoch,
        const std::function<std::expected<void, std::string>()>& breathe) override {
        return order::find_known_seqs(database_, shard, shards, epoch, breathe);
    }

    std::expected<void, std::string> answers() override {
        const auto found = database_.execute("SELECT 1");
        if (!found) return fault_of(found);
        return {};
    }
    std::expected<void, std::string> require_primary() override {
        const auto found = database_.execute(in_recovery);
        if (!found) return fault_of(found);
        if (found->boolean(0, 0)) return std::unexpected("order database: it is a standby");
        return {};
    }
    std::uint64_t sessions() const override { return database_.connections(); }

private:
    postgres::session& database_;
};

}  // namespace

std::unique_ptr<recovery_store> make_postgres_recovery_store(postgres::session& order_database) {
    return std::make_unique<postgres_recovery_store>(order_database);
}

}  // namespace flashsale::order
