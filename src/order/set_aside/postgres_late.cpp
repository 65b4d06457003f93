#include <spdlog/spdlog.h>

#include <flashsale/order/recovery.hpp>
#include <flashsale/postgres.hpp>

namespace flashsale::order {

namespace {

constexpr postgres::statement page_late{
    "page_late",
    "SELECT event_id, event FROM late WHERE shard = $1 AND event_id > $2"
    " ORDER BY event_id LIMIT $3"};
constexpr postgres::statement forget_late{"forget_late",
                                          "DELETE FROM late WHERE event_id = ANY($1::uuid[])"};
constexpr postgres::statement park_late{
    "park_late",
    "WITH gone AS (DELETE FROM late WHERE event_id = $1 RETURNING event_id, event, published_at)"
    " INSERT INTO parked (event_id, event, reason, holds_units, refused_late, published_at)"
    " SELECT event_id, event, $2, false, true, published_at FROM gone ON CONFLICT DO NOTHING"};

std::unexpected<std::string> fault_of(const postgres::result& failed) {
    return std::unexpected("order database: " + failed.error().message);
}

class postgres_late_store final : public late_store {
public:
    explicit postgres_late_store(postgres::session& database) : database_(database) {}

    std::expected<late_page, std::string> page(std::uint32_t shard, const uuid& after,
                                               std::size_t events_max) override {
        postgres::parameters with;
        with.integer(shard).uuid(after).integer(static_cast<std::int64_t>(events_max));
        const auto found = database_.execute(page_late, with);
        if (!found) return fault_of(found);
        late_page out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            const auto event = events::parse(found->text(row, 1));
            if (!event)
                spdlog::error("late event {}: {}", found->uuid(row, 0).to_string(), event.error());
            auto taken = event ? allocation_of(*event) : std::nullopt;
            if (taken) out.rows.push_back(std::move(*taken));
        }
        if (found->size() == events_max) out.next = found->uuid(events_max - 1, 0);
        return out;
    }

    std::expected<void, std::string> forget(std::span<const uuid> ids) override {
        const auto gone = database_.execute(forget_late, postgres::parameters().uuids(ids));
        if (!gone) return fault_of(gone);
        return {};
    }

    std::expected<void, std::string> park(const uuid& id, const std::string& reason) override {
        const auto parked =
            database_.execute(park_late, postgres::parameters().uuid(id).text(reason));
        if (!parked) return fault_of(parked);
        return {};
    }

private:
    postgres::session& database_;
};

}  // namespace

std::unique_ptr<late_store> make_postgres_late_store(postgres::session& order_database) {
    return std::make_unique<postgres_late_store>(order_database);
}

}  // namespace flashsale::order
