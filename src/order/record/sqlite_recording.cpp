// Orders go in one by one, each once, by id, all in one transaction. An order that was not new is
// either the same one again, which is fine, or another order with a key that is taken: that one is
// parked, and so is one that a constraint refuses; neither disturbs the rest.

#include <spdlog/spdlog.h>

#include <flashsale/order.hpp>
#include <flashsale/order/recording.hpp>
#include <flashsale/sqlite.hpp>

#include "set_aside/parking.hpp"

namespace flashsale::order {

namespace {

constexpr sqlite::statement remove_life_of_parked{
    "DELETE FROM order_lives WHERE order_id = ?1 AND order_id IN (SELECT event_id FROM parked)"};
constexpr sqlite::statement remove_parked_order{
    "DELETE FROM orders WHERE id = ?1 AND id IN (SELECT event_id FROM parked)"};
#define INSERT_ORDER(STATUS)                                                           \
    "INSERT INTO orders (id, user_id, product_id, quantity, unit_price, order_status," \
    "                    idempotency_key, epoch, seq, created_at, recorded, currency)" \
    " VALUES (?1, ?2, ?3, ?4, ?5, " STATUS                                             \
    ", ?6, ?7, ?8, ?9, ?10, nullif(?11, ''))"                                          \
    " ON CONFLICT DO NOTHING"
constexpr sqlite::statement insert_order{INSERT_ORDER("'SUCCESS'")};
constexpr sqlite::statement insert_held_order{INSERT_ORDER("'PENDING'")};
#undef INSERT_ORDER
constexpr sqlite::statement insert_life{
    "INSERT INTO order_lives (order_id, payment_window_s, expires_at, due_at)"
    " VALUES (?1, ?2, ?3, ?3)"};
constexpr sqlite::statement read_last_recorded{"SELECT last FROM recorded"};
constexpr sqlite::statement write_last_recorded{"UPDATE recorded SET last = ?1"};
constexpr sqlite::statement known_order{"SELECT 1 FROM orders WHERE id = ?1"};
constexpr sqlite::statement park_event{
    "INSERT INTO parked (event_id, event, reason, created_at) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT DO NOTHING"};
constexpr sqlite::statement keep_late{
    "INSERT INTO late (event_id, shard, event, created_at) SELECT ?1, ?2, ?3, ?4"
    " WHERE NOT EXISTS (SELECT 1 FROM orders WHERE id = ?1)"
    "   AND NOT EXISTS (SELECT 1 FROM parked WHERE event_id = ?1)"
    " ON CONFLICT DO NOTHING"};
// Barriers of an hour ago have done their work.
constexpr sqlite::statement delete_old_barriers{
    "DELETE FROM barriers WHERE shard = ?1 AND epoch <= ?2 AND created_at < ?3 AND id <> ?4"};
constexpr sqlite::statement insert_barrier{
    "INSERT INTO barriers (id, shard, epoch, created_at) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT DO NOTHING"};

using sqlite::access;
using attempt = std::expected<void, sqlite::error>;

std::unexpected<std::string> fault_of(const sqlite::error& error) {
    return std::unexpected("order database: " + error.message);
}

/// True: it was not there before.
std::expected<bool, sqlite::error> insert(sqlite::database& in, const events::order_accepted& one,
                                          std::int64_t recorded) {
    const bool held = one.payment_window_s != 0;
    auto row = in.prepare(held ? insert_held_order : insert_order);
    row.uuid(one.id).integer(one.user_id).integer(one.product_id).integer(one.quantity);
    row.integer(one.unit_price).text(one.idempotency_key);
    row.integer(static_cast<std::int64_t>(one.epoch));
    row.integer(static_cast<std::int64_t>(one.seq)).time(one.created_at).integer(recorded);
    row.text(one.currency.text());
    const auto inserted = row.run();
    if (!inserted) return std::unexpected(inserted.error());
    if (*inserted == 1 && held) {
        const auto lives = in.prepare(insert_life)
                               .uuid(one.id)
                               .integer(one.payment_window_s)
                               .time(one.created_at + std::chrono::seconds(one.payment_window_s))
                               .run();
        if (!lives) return std::unexpected(lives.error());
    }
    return *inserted == 1;
}

attempt insert_all(sqlite::database& in, std::span<const events::order_accepted> orders,
                   recording_report& report, std::vector<parking>& to_park) {
    const auto set_aside = [&](const events::order_accepted& one, std::string reason) {
        report.parked.push_back(one.id);
        to_park.push_back(parking_of(one, std::move(reason)));
    };
    if (orders.empty()) return {};
    std::int64_t last = 0;
    {
        auto row = in.prepare(read_last_recorded);
        const auto there = row.step();
        if (!there) return std::unexpected(there.error());
        last = row.integer_at(0);
    }
    for (const events::order_accepted& one : orders) {
        const auto fresh = insert(in, one, last + 1);
        if (!fresh && fresh.error().what == sqlite::error::kind::data) {
            set_aside(one, fresh.error().message);
            continue;
        }
        if (!fresh) return std::unexpected(fresh.error());
        if (*fresh) {
            ++last;
            ++report.fresh;
            continue;
        }
        const auto known = in.prepare(known_order).uuid(one.id).step();
        if (!known) return std::unexpected(known.error());
        if (*known) {
            ++report.duplicates;
        } else {
            set_aside(one, key_is_taken);
        }
    }
    const auto noted = in.prepare(write_last_recorded).integer(last).run();
    if (!noted) return std::unexpected(noted.error());
    return {};
}

attempt insert_parked(sqlite::database& in, std::span<const parking> all) {
    const timestamp now = wall_clock_now();
    for (const parking& one : all) {
        auto row = in.prepare(park_event);
        const auto done = row.uuid(one.id).text(one.event).text(one.reason).time(now).run();
        if (!done) return std::unexpected(done.error());
    }
    return {};
}

attempt insert_late(sqlite::database& in, std::span<const events::event> late) {
    const timestamp now = wall_clock_now();
    std::int64_t fresh = 0;
    for (const events::event& one : late) {
        auto row = in.prepare(keep_late);
        const events::event_base& base = events::base_of(one);
        row.uuid(base.id).integer(base.shard).text(events::text_of(one)).time(now);
        const auto done = row.run();
        if (!done) return std::unexpected(done.error());
        fresh += *done;
    }
    if (late.empty()) return {};
    spdlog::warn("{} events of an older gate came after its record was read, {} of them new",
                 late.size(), fresh);
    return {};
}

attempt insert_barriers(sqlite::database& in, std::span<const events::barrier> barriers) {
    const timestamp now = wall_clock_now();
    for (const events::barrier& one : barriers) {
        const auto epoch = static_cast<std::int64_t>(one.epoch);
        auto old = in.prepare(delete_old_barriers);
        old.integer(one.shard).integer(epoch).time(now - std::chrono::hours{1}).uuid(one.id);
        if (const auto gone = old.run(); !gone) return std::unexpected(gone.error());
        auto row = in.prepare(insert_barrier);
        const auto done = row.uuid(one.id).integer(one.shard).integer(epoch).time(now).run();
        if (!done) return std::unexpected(done.error());
    }
    return {};
}

class sqlite_recording final : public recording {
public:
    explicit sqlite_recording(sqlite::database& database) : database_(database) {}

    std::expected<recording_report, std::string> record(
        std::span<const events::order_accepted> orders,
        std::span<const events::poison> poison) override {
        recording_report report;
        std::vector<parking> to_park;
        const auto done =
            database_.transaction(access::write, [&](sqlite::database& in) -> attempt {
                for (const events::poison& one : poison)
                    to_park.push_back(parking_of(one));
                if (auto all = insert_all(in, orders, report, to_park); !all) return all;
                return insert_parked(in, to_park);
            });
        if (!done) return fault_of(done.error());
        report_parked(to_park);
        return report;
    }

    std::expected<void, std::string> park(std::span<const parking> events) override {
        if (events.empty()) return {};
        const auto done = database_.transaction(
            access::write, [&](sqlite::database& in) { return insert_parked(in, events); });
        if (!done) return fault_of(done.error());
        report_parked(events);
        return {};
    }

    std::expected<void, std::string> keep_late(std::span<const events::event> late) override {
        if (late.empty()) return {};
        const auto done = database_.transaction(
            access::write, [&](sqlite::database& in) { return insert_late(in, late); });
        if (!done) return fault_of(done.error());
        return {};
    }

    std::expected<void, std::string> take_back(std::span<const uuid> orders) override {
        if (orders.empty()) return {};
        const auto done =
            database_.transaction(access::write, [&](sqlite::database& in) -> attempt {
                for (const uuid& id : orders) {
                    for (const auto* what : {&remove_life_of_parked, &remove_parked_order}) {
                        const auto gone = in.prepare(*what).uuid(id).run();
                        if (!gone) return std::unexpected(gone.error());
                    }
                }
                return {};
            });
        if (!done) return fault_of(done.error());
        return {};
    }

    std::expected<void, std::string> record_barriers(
        std::span<const events::barrier> barriers) override {
        if (barriers.empty()) return {};
        const auto done = database_.transaction(
            access::write, [&](sqlite::database& in) { return insert_barriers(in, barriers); });
        if (!done) return fault_of(done.error());
        return {};
    }

private:
    sqlite::database& database_;
};

}  // namespace

std::unique_ptr<recording> make_sqlite_recording(sqlite::database& database) {
    return std::make_unique<sqlite_recording>(database);
}

}  // namespace flashsale::order
