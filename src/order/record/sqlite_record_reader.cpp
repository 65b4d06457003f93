#include <flashsale/order/allocation_of.hpp>
#include <flashsale/order/record.hpp>
#include <flashsale/sqlite.hpp>

namespace flashsale::order {

namespace {

#define ALLOCATION_COLUMNS                                                                   \
    "id, line, user_id, product_id, quantity, unit_price, idempotency_key, generation, seq," \
    " coalesce(currency, '')"
constexpr sqlite::statement page_orders{
    "SELECT " ALLOCATION_COLUMNS
    " FROM orders WHERE (id, line) > (?1, ?5) AND product_id % ?2 = ?3"
    " ORDER BY id, line LIMIT ?4"};
constexpr sqlite::statement all_orders{"SELECT " ALLOCATION_COLUMNS " FROM orders"};
#undef ALLOCATION_COLUMNS
constexpr sqlite::statement page_parked{
    "SELECT event_id, event FROM parked WHERE holds_units AND event_id > ?1"
    " ORDER BY event_id LIMIT ?2"};
constexpr sqlite::statement is_recorded{
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM orders WHERE id = ?1)"
    " OR EXISTS (SELECT 1 FROM parked WHERE holds_units AND event_id = ?1)"};

constexpr sqlite::statement late_ids{"SELECT event_id FROM late ORDER BY event_id"};
constexpr sqlite::statement all_late{"SELECT event_id, event FROM late ORDER BY event_id"};
constexpr sqlite::statement all_parked{
    "SELECT event_id, event, reason, holds_units FROM parked WHERE dropped_at IS NULL"};
constexpr sqlite::statement all_dropped{"SELECT event FROM parked WHERE dropped_at IS NOT NULL"};

std::unexpected<std::string> fault_of(const sqlite::error& error) {
    return std::unexpected("order database: " + error.message);
}

/// Steps through all rows: one statement, and so one snapshot.
template <class Each>
std::expected<void, std::string> each_row(sqlite::query& rows, Each each) {
    while (true) {
        const auto more = rows.step();
        if (!more) return fault_of(more.error());
        if (!*more) return {};
        each();
    }
}

stock::allocation allocation_at(const sqlite::query& row) {
    stock::allocation out;
    out.order_id = row.uuid_at(0);
    out.line = static_cast<std::uint32_t>(row.integer_at(1));
    out.user_id = row.integer_at(2);
    out.product_id = row.integer_at(3);
    out.quantity = row.integer_at(4);
    out.unit_price = row.integer_at(5);
    out.idempotency_key = row.text_at(6);
    out.generation = static_cast<std::uint64_t>(row.integer_at(7));
    out.seq = static_cast<std::uint64_t>(row.integer_at(8));
    out.currency = currency_code::of_record(row.text_at(9));
    return out;
}

class sqlite_record_reader final : public record_reader {
public:
    explicit sqlite_record_reader(sqlite::database& database) : database_(database) {}

    std::expected<order_page, std::string> orders(std::uint32_t shard, std::uint32_t shards,
                                                  stock::allocation_id after,
                                                  std::size_t rows_max) override {
        auto row = database_.prepare(page_orders);
        row.uuid(after.order_id).integer(shards).integer(shard);
        row.integer(static_cast<std::int64_t>(rows_max)).integer(after.line);
        order_page out;
        const auto read = each_row(row, [&] { out.rows.push_back(allocation_at(row)); });
        if (!read) return std::unexpected(read.error());
        if (out.rows.size() == rows_max) out.next = out.rows.back().id();
        return out;
    }

    std::expected<event_page, std::string> parked(std::uint32_t shard, std::uint32_t shards,
                                                  uuid after, std::size_t rows_max) override {
        auto row = database_.prepare(page_parked);
        row.uuid(after).integer(static_cast<std::int64_t>(rows_max));
        event_page out;
        std::size_t rows = 0;
        uuid last;
        const auto read = each_row(row, [&] {
            ++rows;
            last = row.uuid_at(0);
            // What cannot be read was never an event of a gate, and holds nothing.
            const auto event = events::parse(row.text_at(1));
            auto taken = event ? order::allocation_of(*event) : std::nullopt;
            if (!taken || taken->product_id % shards != shard) return;
            out.rows.push_back(std::move(*taken));
        });
        if (!read) return std::unexpected(read.error());
        if (rows == rows_max) out.next = last;
        return out;
    }

    std::expected<std::vector<uuid>, std::string> recorded(std::span<const uuid> ids) override {
        std::vector<uuid> out;
        for (const uuid& id : ids) {
            const auto found = database_.prepare(is_recorded).uuid(id).step();
            if (!found) return fault_of(found.error());
            if (*found) out.push_back(id);
        }
        return out;
    }

    std::expected<void, std::string> for_each_order(
        const std::function<void(stock::allocation)>& each) override {
        auto row = database_.prepare(all_orders);
        return each_row(row, [&] { each(allocation_at(row)); });
    }

    std::expected<void, std::string> for_each_parked(
        const std::function<void(parked_event)>& each) override {
        auto row = database_.prepare(all_parked);
        return each_row(row, [&] {
            each({row.uuid_at(0), std::string(row.text_at(1)), std::string(row.text_at(2)),
                  row.integer_at(3) != 0});
        });
    }

    std::expected<void, std::string> for_each_dropped(
        const std::function<void(std::string_view)>& each) override {
        auto row = database_.prepare(all_dropped);
        return each_row(row, [&] { each(row.text_at(0)); });
    }

    std::expected<std::vector<uuid>, std::string> late() override {
        std::vector<uuid> out;
        auto row = database_.prepare(late_ids);
        const auto read = each_row(row, [&] { out.push_back(row.uuid_at(0)); });
        if (!read) return std::unexpected(read.error());
        return out;
    }

    // One process owns the file, and raises no fence: nothing is late but what a person made so.
    std::expected<std::vector<late_event>, std::string> late_events() override {
        std::vector<late_event> out;
        auto row = database_.prepare(all_late);
        const auto read = each_row(row, [&] {
            out.push_back({row.uuid_at(0), std::string(row.text_at(1)), false, std::nullopt});
        });
        if (!read) return std::unexpected(read.error());
        return out;
    }

    std::expected<std::vector<raised_fence>, std::string> raised_fences() override {
        return std::vector<raised_fence>{};
    }

private:
    sqlite::database& database_;
};

}  // namespace

std::unique_ptr<record_reader> make_sqlite_record_reader(sqlite::database& database) {
    return std::make_unique<sqlite_record_reader>(database);
}

}  // namespace flashsale::order
