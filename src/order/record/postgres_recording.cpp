// The fast path is one plain INSERT for the whole batch: nearly always every order is new, and to
// allow for conflicts costs PostgreSQL a third of the work. Where one is not new after all (it was
// delivered again) the batch is done over, and so are those of the next seconds, with ON CONFLICT,
// whose RETURNING tells which orders were new. One that was not is either the same one again, which
// is fine, or another order with a key that is taken: that one is parked. If the database refuses
// the INSERT as a whole, because of one row, the batch is done again row by row with a savepoint
// each, and the row at fault is parked.

#include <spdlog/spdlog.h>

#include <unordered_set>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/order/recording.hpp>
#include <flashsale/postgres.hpp>

#include "postgres_order_rows.hpp"
#include "set_aside/late_event.hpp"
#include "set_aside/parking.hpp"

namespace flashsale::order {

namespace {

constexpr postgres::statement known_orders{"known_orders",
                                           "SELECT id FROM orders WHERE id = ANY($1::uuid[])"};
constexpr postgres::statement park_events{
    "park_events",
    "INSERT INTO parked (event_id, event, reason)"
    " SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING"
    " RETURNING event_id"};

// What was published again counts as published then: the last one is what a 201 may stand on. The
// epoch stands for a time that is not known, which is later than any that is.
constexpr postgres::statement keep_late{
    "keep_late",
    "WITH came AS ("
    "  SELECT id, min(shard) AS shard, min(event) AS event,"
    "         CASE WHEN min(published_at) > 'epoch' THEN max(published_at) END AS published_at"
    "  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[])"
    "    AS b (id, shard, event, published_at)"
    "  GROUP BY id"
    "), came_again AS ("
    "  UPDATE parked p SET published_at = CASE WHEN p.published_at IS NOT NULL"
    "    AND c.published_at IS NOT NULL THEN greatest(p.published_at, c.published_at) END"
    "  FROM came c WHERE p.event_id = c.id AND p.refused_late"
    ") INSERT INTO late AS l (event_id, shard, event, published_at)"
    " SELECT id, shard, event, published_at FROM came c"
    " WHERE NOT EXISTS (SELECT FROM orders o WHERE o.id = c.id)"
    "   AND NOT EXISTS (SELECT FROM parked p WHERE p.event_id = c.id)"
    " ON CONFLICT (event_id) DO UPDATE SET published_at = CASE WHEN l.published_at IS NOT NULL"
    "   AND excluded.published_at IS NOT NULL"
    "   THEN greatest(l.published_at, excluded.published_at) END"};
constexpr postgres::statement remove_parked_orders{
    "remove_parked_orders",
    "WITH gone AS ("
    "  DELETE FROM orders WHERE id = ANY($1::uuid[]) AND id IN (SELECT event_id FROM parked)"
    "  RETURNING id"
    ") DELETE FROM order_lives WHERE order_id IN (SELECT id FROM gone)"};
constexpr postgres::statement read_fences{"read_fences", "SELECT shard, epoch FROM fences"};
// Barriers of an hour ago have done their work.
constexpr postgres::statement insert_barriers{
    "insert_barriers",
    "WITH batch AS ("
    "  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS b (id, shard, epoch)"
    "), old AS ("
    "  DELETE FROM barriers o USING batch b WHERE o.shard = b.shard"
    "    AND o.epoch <= b.epoch AND o.created_at < now() - interval '1 hour'"
    "    AND o.id <> b.id"
    ") INSERT INTO barriers (id, shard, epoch) SELECT id, shard, epoch FROM batch"
    " ON CONFLICT DO NOTHING"};

using attempt = std::expected<void, postgres::error>;

/// What was delivered again came with others.
constexpr std::chrono::seconds repeats_come_together_for{2};

attempt insert_parked(postgres::session& database, std::span<const parking> all) {
    if (all.empty()) return {};
    std::vector<uuid> ids;
    std::vector<std::string_view> texts, reasons;
    for (const parking& one : all) {
        ids.push_back(one.id);
        texts.push_back(one.event);
        reasons.push_back(one.reason);
    }
    postgres::parameters with;
    with.uuids(ids).texts(texts).texts(reasons);
    auto done = database.execute(park_events, with);
    if (!done) return std::unexpected(done.error());
    report_parked(all);
    return {};
}

attempt insert_late(postgres::session& database, std::span<const events::event> late) {
    if (late.empty()) return {};
    std::vector<uuid> ids;
    std::vector<std::int64_t> shards;
    std::vector<std::string> texts;
    std::vector<timestamp> published;
    for (const events::event& one : late) {
        const events::event_base& base = events::base_of(one);
        ids.push_back(base.id);
        shards.push_back(base.shard);
        texts.push_back(events::text_of(one));
        published.push_back(base.published_at.value_or(timestamp{}));
    }
    postgres::parameters with;
    with.uuids(ids).integers(shards).texts(texts).times(published);
    auto done = database.execute(keep_late, with);
    if (!done) return std::unexpected(done.error());
    spdlog::warn("{} events of an older gate came after its record was read", late.size());
    return {};
}

/// Inside a transaction: until it ends, they are not raised (raise_fence() waits for all readers).
std::expected<fences, postgres::error> hold_fences(postgres::session& database) {
    const auto found = database.execute(read_fences);
    if (!found) return std::unexpected(found.error());
    fences out;
    for (std::size_t row = 0; row < found->size(); ++row) {
        out.raise(static_cast<std::uint32_t>(found->integer(row, 0)),
                  static_cast<std::uint64_t>(found->integer(row, 1)));
    }
    return out;
}

/// Inside a transaction: the orders, all of them new, or none.
attempt insert_new(postgres::session& database, std::span<const events::order_accepted> orders,
                   recording_report& report, std::vector<parking>&) {
    auto inserted = insert_new_rows(database, orders);
    if (!inserted) return std::unexpected(inserted.error());
    report.fresh += orders.size();
    return {};
}

/// Inside a transaction: the orders, and what became of each.
attempt insert_batch(postgres::session& database, std::span<const events::order_accepted> orders,
                     recording_report& report, std::vector<parking>& to_park) {
    auto inserted = insert_rows_not_there(database, orders);
    if (!inserted) return std::unexpected(inserted.error());
    report.fresh += inserted->size();
    if (inserted->size() == orders.size()) return {};

    std::unordered_set<uuid, uuid_hash> there;
    for (std::size_t row = 0; row < inserted->size(); ++row)
        there.insert(inserted->uuid(row, 0));
    std::vector<uuid> missing;
    for (const events::order_accepted& one : orders) {
        if (!there.contains(one.id)) missing.push_back(one.id);
    }
    auto known = database.execute(known_orders, postgres::parameters().uuids(missing));
    if (!known) return std::unexpected(known.error());
    for (std::size_t row = 0; row < known->size(); ++row)
        there.insert(known->uuid(row, 0));
    report.duplicates += known->size();
    for (const events::order_accepted& one : orders) {
        if (there.contains(one.id)) continue;
        report.parked.push_back(one.id);
        to_park.push_back(parking_of(one, key_is_taken));
    }
    return {};
}

attempt insert_one_by_one(postgres::session& database,
                          std::span<const events::order_accepted> orders, recording_report& report,
                          std::vector<parking>& to_park) {
    for (const events::order_accepted& one : orders) {
        if (auto set = database.execute("SAVEPOINT one_order"); !set) {
            return std::unexpected(set.error());
        }
        const auto inserted = insert_batch(database, std::span(&one, 1), report, to_park);
        if (inserted) {
            if (auto kept = database.execute("RELEASE SAVEPOINT one_order"); !kept) {
                return std::unexpected(kept.error());
            }
            continue;
        }
        if (inserted.error().what != postgres::error::kind::data) return inserted;
        if (auto undone = database.execute("ROLLBACK TO SAVEPOINT one_order"); !undone) {
            return std::unexpected(undone.error());
        }
        report.parked.push_back(one.id);
        to_park.push_back(parking_of(one, inserted.error().message));
    }
    return {};
}

template <class T>
std::unexpected<std::string> fault_of(const std::expected<T, postgres::error>& failed) {
    return std::unexpected("order database: " + failed.error().message);
}

class postgres_recording final : public recording {
public:
    postgres_recording(postgres::session& database, bool fenced)
        : database_(database), fenced_(fenced) {}

    std::expected<recording_report, std::string> record(
        std::span<const events::order_accepted> orders,
        std::span<const events::poison> poison) override {
        recording_report report;
        const auto with = [&](auto insert) {
            return database_.transaction([&](postgres::session& in) -> attempt {
                report = {};
                std::vector<parking> to_park;
                for (const events::poison& one : poison)
                    to_park.push_back(parking_of(one));
                std::vector<events::order_accepted> rest;
                const auto in_time = without_late(in, orders, rest, report);
                if (!in_time) return std::unexpected(in_time.error());
                if (!in_time->empty()) {
                    if (auto done = insert(in, *in_time, report, to_park); !done) return done;
                }
                auto parked = insert_parked(in, to_park);
                faults::pass(faults::place::before_commit);
                return parked;
            });
        };
        const auto now = std::chrono::steady_clock::now();
        attempt done;
        bool all_new = now >= repeats_until_;
        if (all_new) {
            done = with(insert_new);
            if (!done && done.error().what == postgres::error::kind::unique_violation) {
                all_new = false;
                repeats_until_ = now + repeats_come_together_for;
            }
        }
        if (!all_new) done = with(insert_batch);
        if (!done && done.error().what == postgres::error::kind::data) {
            done = with(insert_one_by_one);
        }
        if (!done) return fault_of(done);
        faults::pass(faults::place::after_commit);
        return report;
    }

    std::expected<void, std::string> park(std::span<const parking> events) override {
        if (events.empty()) return {};
        const auto done = database_.transaction([&](postgres::session& in) -> attempt {
            const auto held = fenced_ ? hold_fences(in) : std::expected<fences, postgres::error>{};
            if (!held) return std::unexpected(held.error());
            std::vector<parking> to_park;
            std::vector<events::event> late;
            for (const parking& one : events) {
                auto event = events::parse(one.event);
                if (event && held->is_late(events::base_of(*event))) {
                    late.push_back(std::move(*event));
                } else {
                    to_park.push_back(one);
                }
            }
            if (auto kept = insert_late(in, late); !kept) return kept;
            return insert_parked(in, to_park);
        });
        if (!done) return fault_of(done);
        return {};
    }

    std::expected<void, std::string> keep_late(std::span<const events::event> late) override {
        const auto done = insert_late(database_, late);
        if (!done) return fault_of(done);
        return {};
    }

    std::expected<void, std::string> take_back(std::span<const uuid> orders) override {
        if (orders.empty()) return {};
        const auto done =
            database_.execute(remove_parked_orders, postgres::parameters().uuids(orders));
        if (!done) return fault_of(done);
        return {};
    }

    std::expected<void, std::string> record_barriers(
        std::span<const events::barrier> barriers) override {
        if (barriers.empty()) return {};
        std::vector<uuid> ids;
        std::vector<std::int64_t> shards, epochs;
        for (const events::barrier& one : barriers) {
            ids.push_back(one.id);
            shards.push_back(one.shard);
            epochs.push_back(static_cast<std::int64_t>(one.epoch));
        }
        postgres::parameters with;
        with.uuids(ids).integers(shards).integers(epochs);
        const auto done = database_.execute(insert_barriers, with);
        if (!done) return fault_of(done);
        return {};
    }

private:
    /// Inside a transaction: keeps the late ones. The others, in `rest` if they are not all.
    std::expected<std::span<const events::order_accepted>, postgres::error> without_late(
        postgres::session& in, std::span<const events::order_accepted> orders,
        std::vector<events::order_accepted>& rest, recording_report& report) const {
        if (orders.empty() || !fenced_) return orders;
        const auto held = hold_fences(in);
        if (!held) return std::unexpected(held.error());
        const auto is_late = [&](const events::event_base& one) { return held->is_late(one); };
        if (std::ranges::none_of(orders, is_late)) return orders;
        std::vector<events::event> late;
        for (const events::order_accepted& one : orders) {
            if (is_late(one)) {
                report.late.push_back(one.id);
                late.emplace_back(one);
            } else {
                rest.push_back(one);
            }
        }
        if (auto kept = insert_late(in, late); !kept) return std::unexpected(kept.error());
        return std::span<const events::order_accepted>(rest);
    }

    postgres::session& database_;
    const bool fenced_;
    std::chrono::steady_clock::time_point repeats_until_{};  // no plain INSERT before
};

}  // namespace

std::unique_ptr<recording> make_postgres_recording(postgres::session& database, bool fenced) {
    return std::make_unique<postgres_recording>(database, fenced);
}

}  // namespace flashsale::order
