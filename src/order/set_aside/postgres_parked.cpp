#include <flashsale/order/parked.hpp>
#include <flashsale/postgres.hpp>

namespace flashsale::order {

namespace {

#define PARKED_COLUMNS "event_id, event, reason, holds_units, created_at, dropped_at"
constexpr postgres::statement page_parked{
    "parked_page", "SELECT " PARKED_COLUMNS
                   " FROM parked WHERE event_id > $1 AND (dropped_at IS NULL OR $3)"
                   " ORDER BY event_id LIMIT $2"};
constexpr postgres::statement one_parked{
    "parked_one", "SELECT " PARKED_COLUMNS " FROM parked WHERE event_id = $1"};
#undef PARKED_COLUMNS
constexpr postgres::statement delete_parked{"parked_delete",
                                            "DELETE FROM parked WHERE event_id = $1"};
constexpr postgres::statement to_late{
    "parked_to_late",
    "WITH gone AS (DELETE FROM parked WHERE event_id = $1 AND NOT holds_units"
    "              AND dropped_at IS NULL RETURNING event_id, event, published_at)"
    " INSERT INTO late (event_id, shard, event, published_at)"
    " SELECT event_id, $2, event, published_at FROM gone"
    " ON CONFLICT DO NOTHING"};
constexpr postgres::statement mark_dropped{
    "parked_drop",
    "UPDATE parked SET holds_units = false, dropped_at = now()"
    " WHERE event_id = $1 AND dropped_at IS NULL"};
constexpr postgres::statement find_order{"parked_find_order", "SELECT FROM orders WHERE id = $1"};

std::unexpected<std::string> fault_of(const postgres::result& failed) {
    return std::unexpected("order database: " + failed.error().message);
}

parked_row row_of(const postgres::rows& rows, std::size_t row) {
    return {rows.uuid(row, 0),
            std::string(rows.text(row, 1)),
            std::string(rows.text(row, 2)),
            rows.boolean(row, 3),
            rows.time(row, 4),
            rows.optional_time(row, 5)};
}

class postgres_parked_events final : public parked_events {
public:
    explicit postgres_parked_events(postgres::session& database) : database_(database) {}

    std::expected<std::vector<parked_row>, std::string> list(const uuid& after,
                                                             std::size_t rows_max,
                                                             bool dropped_too) override {
        postgres::parameters with;
        with.uuid(after).integer(static_cast<std::int64_t>(rows_max)).boolean(dropped_too);
        const auto found = database_.execute(page_parked, with);
        if (!found) return fault_of(found);
        std::vector<parked_row> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(row_of(*found, row));
        return out;
    }

    std::expected<std::optional<parked_row>, std::string> find(const uuid& id) override {
        const auto found = database_.execute(one_parked, postgres::parameters().uuid(id));
        if (!found) return fault_of(found);
        if (found->empty()) return std::optional<parked_row>{};
        return row_of(*found, 0);
    }

    std::expected<bool, std::string> order_recorded(const uuid& id) override {
        const auto found = database_.execute(find_order, postgres::parameters().uuid(id));
        if (!found) return fault_of(found);
        return !found->empty();
    }

    std::expected<void, std::string> forget(const uuid& id) override {
        return run(delete_parked, postgres::parameters().uuid(id));
    }

    std::expected<void, std::string> ask_again_for(const uuid& id, std::uint32_t shard) override {
        return run(to_late, postgres::parameters().uuid(id).integer(shard));
    }

    std::expected<void, std::string> drop(const uuid& id) override {
        return run(mark_dropped, postgres::parameters().uuid(id));
    }

private:
    std::expected<void, std::string> run(const postgres::statement& what,
                                         const postgres::parameters& with) {
        const auto done = database_.execute(what, with);
        if (!done) return fault_of(done);
        return {};
    }

    postgres::session& database_;
};

}  // namespace

std::unique_ptr<parked_events> make_postgres_parked_events(postgres::session& database) {
    return std::make_unique<postgres_parked_events>(database);
}

}  // namespace flashsale::order
