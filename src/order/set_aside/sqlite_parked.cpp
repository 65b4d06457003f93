#include <flashsale/order/parked.hpp>
#include <flashsale/sqlite.hpp>

namespace flashsale::order {

namespace {

#define PARKED_COLUMNS "event_id, event, reason, holds_units, created_at, dropped_at"
constexpr sqlite::statement page_parked{
    "SELECT " PARKED_COLUMNS
    " FROM parked WHERE event_id > ?1 AND (dropped_at IS NULL OR ?3)"
    " ORDER BY event_id LIMIT ?2"};
constexpr sqlite::statement one_parked{"SELECT " PARKED_COLUMNS " FROM parked WHERE event_id = ?1"};
#undef PARKED_COLUMNS
constexpr sqlite::statement find_order{"SELECT 1 FROM orders WHERE id = ?1"};
constexpr sqlite::statement delete_parked{"DELETE FROM parked WHERE event_id = ?1"};
constexpr sqlite::statement keep_as_late{
    "INSERT INTO late (event_id, shard, event, created_at)"
    " SELECT event_id, ?2, event, ?3 FROM parked"
    " WHERE event_id = ?1 AND NOT holds_units AND dropped_at IS NULL"
    " ON CONFLICT DO NOTHING"};
constexpr sqlite::statement delete_late_parked{
    "DELETE FROM parked WHERE event_id = ?1 AND NOT holds_units AND dropped_at IS NULL"};
constexpr sqlite::statement mark_dropped{
    "UPDATE parked SET holds_units = 0, dropped_at = ?2"
    " WHERE event_id = ?1 AND dropped_at IS NULL"};

std::unexpected<std::string> fault_of(const sqlite::error& error) {
    return std::unexpected("order database: " + error.message);
}

parked_row row_of(const sqlite::query& row) {
    return {row.uuid_at(0),
            std::string(row.text_at(1)),
            std::string(row.text_at(2)),
            row.integer_at(3) != 0,
            row.time_at(4),
            row.optional_time_at(5)};
}

class sqlite_parked_events final : public parked_events {
public:
    explicit sqlite_parked_events(sqlite::database& database) : database_(database) {}

    std::expected<std::vector<parked_row>, std::string> list(const uuid& after,
                                                             std::size_t rows_max,
                                                             bool dropped_too) override {
        auto row = database_.prepare(page_parked);
        row.uuid(after).integer(static_cast<std::int64_t>(rows_max)).integer(dropped_too ? 1 : 0);
        std::vector<parked_row> out;
        while (true) {
            const auto more = row.step();
            if (!more) return fault_of(more.error());
            if (!*more) return out;
            out.push_back(row_of(row));
        }
    }

    std::expected<std::optional<parked_row>, std::string> find(const uuid& id) override {
        auto row = database_.prepare(one_parked);
        const auto found = row.uuid(id).step();
        if (!found) return fault_of(found.error());
        return *found ? std::optional(row_of(row)) : std::nullopt;
    }

    std::expected<bool, std::string> order_recorded(const uuid& id) override {
        const auto found = database_.prepare(find_order).uuid(id).step();
        if (!found) return fault_of(found.error());
        return *found;
    }

    std::expected<void, std::string> forget(const uuid& id) override {
        return result_of(database_.prepare(delete_parked).uuid(id));
    }

    std::expected<void, std::string> ask_again_for(const uuid& id, std::uint32_t shard) override {
        const auto done = database_.transaction(
            sqlite::access::write, [&](sqlite::database& in) -> std::expected<void, sqlite::error> {
                auto late = in.prepare(keep_as_late);
                const auto kept = late.uuid(id).integer(shard).time(wall_clock_now()).run();
                if (!kept) return std::unexpected(kept.error());
                const auto gone = in.prepare(delete_late_parked).uuid(id).run();
                if (!gone) return std::unexpected(gone.error());
                return {};
            });
        if (!done) return fault_of(done.error());
        return {};
    }

    std::expected<void, std::string> drop(const uuid& id) override {
        return result_of(database_.prepare(mark_dropped).uuid(id).time(wall_clock_now()));
    }

private:
    static std::expected<void, std::string> result_of(sqlite::query& statement) {
        const auto done = statement.run();
        if (!done) return fault_of(done.error());
        return {};
    }

    sqlite::database& database_;
};

}  // namespace

std::unique_ptr<parked_events> make_sqlite_parked_events(sqlite::database& database) {
    return std::make_unique<sqlite_parked_events>(database);
}

}  // namespace flashsale::order
