#include <flashsale/postgres.hpp>
#include <flashsale/stock/shard_registry.hpp>

#include "catalogue/sync_sale.hpp"
#include "catalogue/undo_terms.hpp"

namespace flashsale::stock {

namespace {

constexpr postgres::statement in_recovery{"in_recovery", "SELECT pg_is_in_recovery()"};

constexpr postgres::statement undo_product_terms{"registry_undo_terms", UNDO_TERMS};

// Without the lock it is only looked whether there is anything to do.
constexpr postgres::statement sync_all_sales{
    "registry_sync_sales",
    SYNC_SALES_OF_POSTGRES(
        "id IN (SELECT p.sale_id FROM products p JOIN sales t ON t.id = p.sale_id"
        "  WHERE (p.sale_starts_at, p.sale_ends_at, p.payment_window_s, p.sale_limit, p.sale_state)"
        "    IS DISTINCT FROM (t.starts_at, t.ends_at, t.payment_window_s, t.per_user_limit,"
        "                      nullif(t.state, 'open')))")};

class postgres_shard_registry final : public shard_registry {
public:
    explicit postgres_shard_registry(postgres::session& database) : database_(database) {}

    std::expected<shard_state, std::string> read(std::uint32_t shard) override {
        return read_shard(database_, shard);
    }
    std::expected<std::optional<shard_state>, std::string> lease(std::uint32_t shard,
                                                                 const uuid& holder,
                                                                 std::chrono::milliseconds time,
                                                                 bool by_force) override {
        return lease_shard(database_, shard, holder, time, by_force);
    }
    std::expected<void, std::string> release(std::uint32_t shard, const uuid& holder) override {
        return release_shard(database_, shard, holder);
    }

    std::expected<std::optional<std::uint64_t>, std::string> begin_rebuild(
        std::uint32_t shard, const uuid& holder, const uuid& token) override {
        return stock::begin_rebuild(database_, shard, holder, token);
    }
    std::expected<std::vector<uuid>, std::string> older_tokens(std::uint32_t shard,
                                                               std::uint64_t epoch) override {
        return stock::older_tokens(database_, shard, epoch);
    }
    std::expected<void, std::string> forget_tokens(std::span<const uuid> tokens) override {
        return stock::forget_tokens(database_, tokens);
    }
    std::expected<bool, std::string> replace_token(std::uint32_t shard, std::uint64_t epoch,
                                                   const uuid& old, const uuid& fresh) override {
        return stock::replace_token(database_, shard, epoch, old, fresh);
    }
    std::expected<bool, std::string> renew_rebuild(std::uint32_t shard, const uuid& holder,
                                                   std::uint64_t epoch,
                                                   std::chrono::milliseconds time) override {
        return stock::renew_rebuild(database_, shard, holder, epoch, time);
    }
    std::expected<bool, std::string> finish_rebuild(std::uint32_t shard,
                                                    std::uint64_t epoch) override {
        return stock::finish_rebuild(database_, shard, epoch);
    }
    std::expected<void, std::string> raise_fence(std::uint32_t shard,
                                                 std::uint64_t epoch) override {
        return stock::raise_fence(database_, shard, epoch);
    }

    std::expected<moved_seqs, std::string> find_moved_seqs(std::uint32_t shard,
                                                           std::uint32_t shards,
                                                           std::uint64_t epoch,
                                                           const breath& breathe) override {
        return stock::find_moved_seqs(database_, shard, shards, epoch, breathe);
    }
    std::expected<bool, std::string> note_unknown_gate(std::uint32_t shard, const uuid& holder,
                                                       std::uint64_t epoch,
                                                       const uuid& token) override {
        return stock::note_unknown_gate(database_, shard, holder, epoch, token);
    }

    std::expected<void, std::string> sync_sales() override {
        const auto synced = database_.execute(sync_all_sales);
        if (!synced) return std::unexpected("stock database: " + synced.error().message);
        return {};
    }
    std::expected<void, std::string> undo_terms(std::int64_t product_id,
                                                std::int64_t revision) override {
        const auto undone = database_.execute(
            undo_product_terms, postgres::parameters().integer(product_id).integer(revision));
        if (!undone) return std::unexpected("stock database: " + undone.error().message);
        return {};
    }

    std::expected<void, std::string> require_primary() override {
        const auto found = database_.execute(in_recovery);
        if (!found) return std::unexpected("stock database: " + found.error().message);
        if (found->boolean(0, 0)) return std::unexpected("stock database: it is a standby");
        return {};
    }
    std::uint64_t sessions() const override { return database_.connections(); }

private:
    postgres::session& database_;
};

}  // namespace

std::unique_ptr<shard_registry> make_postgres_shard_registry(postgres::session& stock_database) {
    return std::make_unique<postgres_shard_registry>(stock_database);
}

}  // namespace flashsale::stock
