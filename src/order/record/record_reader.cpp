#include <spdlog/spdlog.h>

#include <flashsale/order/allocation_of.hpp>
#include <flashsale/order/record.hpp>
#include <flashsale/order/status.hpp>
#include <flashsale/sql.hpp>
#include <flashsale/stock/shard_of.hpp>

#include "ended_columns.hpp"
#include "payment_columns.hpp"

namespace flashsale::order {

namespace {

using sql::access;

// The shard is not asked for here: PostgreSQL's planner takes a modulus for rare, and reads the
// whole table for each page.
#define ALLOCATION_COLUMNS                                                                \
    "o.id, o.line, o.user_id, o.product_id, o.quantity, o.unit_price, o.idempotency_key," \
    " o.epoch, o.seq, coalesce(o.currency, ''), coalesce(l.payment_window_s, 0), o.order_status"
constexpr sql::statement page_orders{access::read, "record_page_orders",
                                     "SELECT " ALLOCATION_COLUMNS " FROM " ORDER_TABLES
                                     " WHERE (o.id, o.line) > ($1, $2)"
                                     " ORDER BY o.id, o.line LIMIT $3"};
constexpr sql::statement all_orders{access::read, "record_all_orders",
                                    "SELECT " ALLOCATION_COLUMNS " FROM " ORDER_TABLES};
#undef ALLOCATION_COLUMNS
constexpr sql::statement page_parked{
    access::read, "record_page_parked",
    "SELECT event_id, event FROM parked WHERE holds_units AND event_id > $1"
    " ORDER BY event_id LIMIT $2"};

constexpr sql::statement recorded_ids{
    access::read,
    "record_recorded_ids",
    "SELECT id FROM orders WHERE id = ANY($1::uuid[])"
    " UNION SELECT event_id FROM parked WHERE holds_units AND event_id = ANY($1::uuid[])",
    {"SELECT ?1 WHERE EXISTS (SELECT 1 FROM orders WHERE id = ?1)"
     " OR EXISTS (SELECT 1 FROM parked WHERE holds_units AND event_id = ?1)"}};

// One process owns a file, and raises no fence: nothing is late there but what an operator made so.
constexpr sql::statement late_ids{access::read, "record_late_ids",
                                  "SELECT event_id FROM late ORDER BY event_id"};
constexpr sql::statement all_late{
    access::read,
    "record_all_late",
    "SELECT event_id, event, false, published_at FROM late"
    " UNION ALL SELECT event_id, event, true, published_at FROM parked"
    "           WHERE refused_late AND dropped_at IS NULL"
    " ORDER BY 1",
    {"SELECT event_id, event, 0, NULL FROM late ORDER BY event_id"}};
constexpr sql::statement all_fences{
    access::read,
    "record_all_fences",
    "SELECT shard, epoch, begun_at, raised_at FROM raised_fences ORDER BY epoch",
    {}};
constexpr sql::statement all_parked{
    access::read, "record_all_parked",
    "SELECT event_id, event, reason, holds_units FROM parked WHERE dropped_at IS NULL"};
constexpr sql::statement all_dropped{access::read, "record_all_dropped",
                                     "SELECT event FROM parked WHERE dropped_at IS NOT NULL"};
constexpr sql::statement find_unfinished{
    access::read,
    "record_unfinished",
    "SELECT o.id, o.product_id, o.order_status,"
    "       (extract(epoch FROM now() - CASE WHEN o.order_status = 'PENDING' THEN l.due_at"
    "                                   ELSE coalesce(l.status_since, o.created_at) END)"
    "        * 1000000)::bigint"
    " FROM order_lives l JOIN orders o ON o.id = l.order_id AND o.line = 0"
    " WHERE l.due_at IS NOT NULL AND (o.order_status <> 'PENDING' OR l.due_at < now())"
    " ORDER BY o.id",
    {"SELECT o.id, o.product_id, o.order_status,"
     "       ?1 - CASE WHEN o.order_status = 'PENDING' THEN l.due_at"
     "                 ELSE coalesce(l.status_since, o.created_at) END"
     " FROM order_lives l JOIN orders o ON o.id = l.order_id AND o.line = 0"
     " WHERE l.due_at IS NOT NULL AND (o.order_status <> 'PENDING' OR l.due_at < ?1)"
     " ORDER BY o.id"}};
constexpr sql::statement all_payments{access::read, "record_all_payments",
                                      "SELECT " PAYMENT_COLUMNS_OF("") " FROM payments"};
constexpr sql::statement find_paid_otherwise{
    access::read, "record_paid_otherwise",
    "SELECT o.id FROM orders o LEFT JOIN order_lives l ON l.order_id = o.id"
    " LEFT JOIN payments p ON p.id = l.payment_id AND p.order_id = o.id"
    " WHERE o.line = 0 AND o.order_status IN ('PAID', 'REFUNDED')"
    "   AND (p.id IS NULL OR p.user_id <> o.user_id OR p.amount <> " ORDER_TOTAL
    "        OR p.state IN ('started', 'failed')"
    "        OR (o.order_status = 'PAID') <> (p.state = 'succeeded'))"
    " UNION SELECT p.order_id FROM payments p"
    " LEFT JOIN orders o ON o.id = p.order_id AND o.line = 0"
    " LEFT JOIN order_lives l ON l.order_id = p.order_id"
    " WHERE p.state = 'succeeded' AND (o.id IS NULL OR o.order_status <> 'PAID'"
    "                                  OR l.payment_id IS NULL OR l.payment_id <> p.id)"
    " ORDER BY 1"};
constexpr sql::statement all_refunds{access::read, "record_all_refunds",
                                     "SELECT " REFUND_COLUMNS_OF("") " FROM refunds"};
constexpr sql::statement find_refunded_otherwise{
    access::read, "record_refunded_otherwise",
    "SELECT coalesce(p.order_id, r.order_id)"
    " FROM (SELECT * FROM payments WHERE state IN ('refund_due', 'refunded')) p"
    " FULL JOIN refunds r ON r.payment_id = p.id"
    " WHERE p.id IS NULL OR r.id IS NULL OR r.order_id <> p.order_id OR r.user_id <> p.user_id"
    "    OR r.method <> p.method OR r.amount <> p.amount"
    "    OR (r.state = 'pending') <> (p.state = 'refund_due')"
    " ORDER BY 1"};
constexpr sql::statement find_unfinished_money{
    access::read,
    "record_unfinished_money",
    "SELECT order_id, false, (extract(epoch FROM now() - received_at) * 1000000)::bigint"
    " FROM payments WHERE state = 'started' AND received_at IS NOT NULL"
    " UNION ALL SELECT order_id, true, (extract(epoch FROM now() - created_at) * 1000000)::bigint"
    " FROM refunds WHERE state = 'pending' AND method = 'balance' ORDER BY 1",
    {"SELECT order_id, 0, ?1 - received_at FROM payments"
     " WHERE state = 'started' AND received_at IS NOT NULL"
     " UNION ALL SELECT order_id, 1, ?1 - created_at FROM refunds"
     " WHERE state = 'pending' AND method = 'balance' ORDER BY 1"}};
constexpr std::size_t rows_per_piece = 10'000;

stock::allocation allocation_of(const sql::rows& rows, std::size_t row) {
    stock::allocation out;
    out.order_id = rows.uuid(row, 0);
    out.line = static_cast<std::uint32_t>(rows.integer(row, 1));
    out.user_id = rows.integer(row, 2);
    out.product_id = rows.integer(row, 3);
    out.quantity = rows.integer(row, 4);
    out.unit_price = rows.integer(row, 5);
    out.idempotency_key = rows.text(row, 6);
    out.epoch = static_cast<std::uint64_t>(rows.integer(row, 7));
    out.seq = static_cast<std::uint64_t>(rows.integer(row, 8));
    out.currency = currency_code::of_record(rows.text(row, 9));
    out.payment_window_s = static_cast<std::uint32_t>(rows.integer(row, 10));
    out.ended = has_ended(order_status_of(rows.text(row, 11)).value());
    return out;
}

class sql_record_reader final : public record_reader {
public:
    explicit sql_record_reader(std::unique_ptr<sql::session> database)
        : database_(std::move(database)) {}

    std::expected<order_page, std::string> orders(std::uint32_t shard, std::uint32_t shards,
                                                  stock::allocation_id after,
                                                  std::size_t rows_max) override {
        sql::parameters with;
        with.uuid(after.order_id).integer(after.line).integer(static_cast<std::int64_t>(rows_max));
        const auto found = database_->execute(page_orders, with);
        if (!found) return std::unexpected("order database: " + found.error().message);
        order_page out;
        out.rows.reserve(found->size());
        for (std::size_t row = 0; row < found->size(); ++row) {
            if (stock::shard_of(found->integer(row, 3), shards) == shard)
                out.rows.push_back(allocation_of(*found, row));
        }
        if (found->size() == rows_max) out.next = allocation_of(*found, rows_max - 1).id();
        return out;
    }

    std::expected<event_page, std::string> parked(std::uint32_t shard, std::uint32_t shards,
                                                  uuid after, std::size_t rows_max) override {
        const auto found = database_->execute(
            page_parked,
            sql::parameters().uuid(after).integer(static_cast<std::int64_t>(rows_max)));
        if (!found) return std::unexpected("order database: " + found.error().message);
        event_page out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            // What cannot be read was never an event of a gate, and holds nothing.
            const auto event = events::parse(found->text(row, 1));
            auto taken = event ? flashsale::order::allocation_of(*event) : std::nullopt;
            if (!taken || taken->product_id % shards != shard) continue;
            out.rows.push_back(std::move(*taken));
        }
        if (found->size() == rows_max) out.next = found->uuid(rows_max - 1, 0);
        return out;
    }

    std::expected<std::vector<uuid>, std::string> recorded(std::span<const uuid> ids) override {
        if (ids.empty()) return std::vector<uuid>{};
        const auto found = database_->execute(recorded_ids, sql::parameters().uuids(ids));
        if (!found) return std::unexpected("order database: " + found.error().message);
        std::vector<uuid> out;
        out.reserve(found->size());
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(found->uuid(row, 0));
        return out;
    }

    std::expected<void, std::string> for_each_order(
        const std::function<void(stock::allocation)>& each) override {
        return stream(all_orders, [&](const sql::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row)
                each(allocation_of(rows, row));
        });
    }

    std::expected<std::vector<unfinished_order>, std::string> unfinished() override {
        const auto found = database_->execute(find_unfinished, std::move(sql::parameters().now()));
        if (!found) return std::unexpected("order database: " + found.error().message);
        std::vector<unfinished_order> out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.push_back({found->uuid(row, 0), found->integer(row, 1),
                           order_status_of(found->text(row, 2)).value(),
                           std::chrono::microseconds(found->integer(row, 3))});
        }
        return out;
    }

    std::expected<void, std::string> for_each_payment(
        const std::function<void(payment)>& each) override {
        return stream(all_payments, [&](const sql::rows& rows) {
            for (payment& one : read_payments(rows))
                each(std::move(one));
        });
    }

    std::expected<std::vector<uuid>, std::string> paid_otherwise() override {
        return ids_of(find_paid_otherwise);
    }

    std::expected<void, std::string> for_each_refund(
        const std::function<void(refund)>& each) override {
        return stream(all_refunds, [&](const sql::rows& rows) {
            for (refund& one : read_refunds(rows))
                each(std::move(one));
        });
    }

    std::expected<std::vector<uuid>, std::string> refunded_otherwise() override {
        return ids_of(find_refunded_otherwise);
    }

    std::expected<std::vector<unfinished_money>, std::string> money_unfinished() override {
        const auto found =
            database_->execute(find_unfinished_money, std::move(sql::parameters().now()));
        if (!found) return std::unexpected("order database: " + found.error().message);
        std::vector<unfinished_money> out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.push_back({found->uuid(row, 0), found->boolean(row, 1),
                           std::chrono::microseconds(found->integer(row, 2))});
        }
        return out;
    }

    std::expected<void, std::string> for_each_parked(
        const std::function<void(parked_event)>& each) override {
        return stream(all_parked, [&](const sql::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row) {
                each({rows.uuid(row, 0), std::string(rows.text(row, 1)),
                      std::string(rows.text(row, 2)), rows.boolean(row, 3)});
            }
        });
    }

    std::expected<void, std::string> for_each_dropped(
        const std::function<void(std::string_view)>& each) override {
        return stream(all_dropped, [&](const sql::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row)
                each(rows.text(row, 0));
        });
    }

    std::expected<std::vector<uuid>, std::string> late() override { return ids_of(late_ids); }

    std::expected<std::vector<late_event>, std::string> late_events() override {
        const auto found = database_->execute(all_late);
        if (!found) return std::unexpected("order database: " + found.error().message);
        std::vector<late_event> out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.push_back({found->uuid(row, 0), std::string(found->text(row, 1)),
                           found->boolean(row, 2), found->optional_time(row, 3)});
        }
        return out;
    }

    std::expected<std::vector<raised_fence>, std::string> raised_fences() override {
        const auto found = database_->execute(all_fences);
        if (!found) return std::unexpected("order database: " + found.error().message);
        std::vector<raised_fence> out;
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.push_back({static_cast<std::uint32_t>(found->integer(row, 0)),
                           static_cast<std::uint64_t>(found->integer(row, 1)), found->time(row, 2),
                           found->time(row, 3)});
        }
        return out;
    }

private:
    std::expected<std::vector<uuid>, std::string> ids_of(const sql::statement& what) {
        const auto found = database_->execute(what);
        if (!found) return std::unexpected("order database: " + found.error().message);
        std::vector<uuid> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(found->uuid(row, 0));
        return out;
    }

    std::expected<void, std::string> stream(const sql::statement& what,
                                            const std::function<void(const sql::rows&)>& each) {
        const auto done = database_->stream(what, rows_per_piece, each);
        if (!done) return std::unexpected("order database: " + done.error().message);
        return {};
    }

    const std::unique_ptr<sql::session> database_;
};

}  // namespace

std::unique_ptr<record_reader> make_postgres_record_reader(postgres::session& database) {
    return std::make_unique<sql_record_reader>(sql::make_session(database));
}

std::unique_ptr<record_reader> make_sqlite_record_reader(sqlite::database& database) {
    return std::make_unique<sql_record_reader>(sql::make_session(database));
}

}  // namespace flashsale::order
