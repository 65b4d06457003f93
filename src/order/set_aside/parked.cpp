#include <flashsale/order/parked.hpp>
#include <flashsale/sql.hpp>

namespace flashsale::order {

namespace {

using sql::access;

#define PARKED_COLUMNS "event_id, event, reason, holds_units, created_at, dropped_at"
constexpr sql::statement page_parked{access::read, "parked_page",
                                     "SELECT " PARKED_COLUMNS
                                     " FROM parked WHERE event_id > $1"
                                     " AND (dropped_at IS NULL OR $2) ORDER BY event_id LIMIT $3"};
constexpr sql::statement one_parked{access::read, "parked_one",
                                    "SELECT " PARKED_COLUMNS " FROM parked WHERE event_id = $1"};
#undef PARKED_COLUMNS
constexpr sql::statement find_order{access::read, "parked_find_order",
                                    "SELECT 1 FROM orders WHERE id = $1"};
constexpr sql::statement delete_parked{access::write, "parked_delete",
                                       "DELETE FROM parked WHERE event_id = $1"};
// A file has no time of publishing: no fence is raised there.
constexpr sql::statement to_late{
    access::write,
    "parked_to_late",
    "WITH gone AS (DELETE FROM parked WHERE event_id = $1 AND NOT holds_units"
    "              AND dropped_at IS NULL RETURNING event_id, event, published_at)"
    " INSERT INTO late (event_id, shard, event, published_at)"
    " SELECT event_id, $2, event, published_at FROM gone"
    " ON CONFLICT DO NOTHING",
    {"INSERT INTO late (event_id, shard, event, created_at)"
     " SELECT event_id, ?2, event, ?3 FROM parked"
     " WHERE event_id = ?1 AND NOT holds_units AND dropped_at IS NULL"
     " ON CONFLICT DO NOTHING",
     "DELETE FROM parked WHERE event_id = ?1 AND NOT holds_units AND dropped_at IS NULL"}};
constexpr sql::statement mark_dropped{access::write,
                                      "parked_drop",
                                      "UPDATE parked SET holds_units = false, dropped_at = now()"
                                      " WHERE event_id = $1 AND dropped_at IS NULL",
                                      {"UPDATE parked SET holds_units = 0, dropped_at = ?2"
                                       " WHERE event_id = ?1 AND dropped_at IS NULL"}};

std::unexpected<std::string> fault_of(const sql::result& failed) {
    return std::unexpected("order database: " + failed.error().message);
}

parked_row row_of(const sql::rows& rows, std::size_t row) {
    return {rows.uuid(row, 0),
            std::string(rows.text(row, 1)),
            std::string(rows.text(row, 2)),
            rows.boolean(row, 3),
            rows.time(row, 4),
            rows.optional_time(row, 5)};
}

class sql_parked_events final : public parked_events {
public:
    explicit sql_parked_events(std::unique_ptr<sql::session> database)
        : database_(std::move(database)) {}

    std::expected<std::vector<parked_row>, std::string> list(const uuid& after,
                                                             std::size_t rows_max,
                                                             bool dropped_too) override {
        sql::parameters with;
        with.uuid(after).boolean(dropped_too).integer(static_cast<std::int64_t>(rows_max));
        const auto found = database_->execute(page_parked, with);
        if (!found) return fault_of(found);
        std::vector<parked_row> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(row_of(*found, row));
        return out;
    }

    std::expected<std::optional<parked_row>, std::string> find(const uuid& id) override {
        const auto found = database_->execute(one_parked, sql::parameters().uuid(id));
        if (!found) return fault_of(found);
        if (found->empty()) return std::optional<parked_row>{};
        return row_of(*found, 0);
    }

    std::expected<bool, std::string> order_recorded(const uuid& id) override {
        const auto found = database_->execute(find_order, sql::parameters().uuid(id));
        if (!found) return fault_of(found);
        return !found->empty();
    }

    std::expected<void, std::string> forget(const uuid& id) override {
        return run(delete_parked, sql::parameters().uuid(id));
    }

    std::expected<void, std::string> ask_again_for(const uuid& id, std::uint32_t shard) override {
        return run(to_late, sql::parameters().uuid(id).integer(std::int64_t{shard}).now());
    }

    std::expected<void, std::string> drop(const uuid& id) override {
        return run(mark_dropped, sql::parameters().uuid(id).now());
    }

private:
    std::expected<void, std::string> run(const sql::statement& what, const sql::parameters& with) {
        const auto done = database_->execute(what, with);
        if (!done) return fault_of(done);
        return {};
    }

    const std::unique_ptr<sql::session> database_;
};

}  // namespace

std::unique_ptr<parked_events> make_postgres_parked_events(postgres::session& database) {
    return std::make_unique<sql_parked_events>(sql::make_session(database));
}

std::unique_ptr<parked_events> make_sqlite_parked_events(sqlite::database& database) {
    return std::make_unique<sql_parked_events>(sql::make_session(database));
}

}  // namespace flashsale::order
