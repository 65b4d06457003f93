// The ledger on PostgreSQL. One statement, and so one transaction, for a whole batch: movements go
// in by order and line, once each, and only those that were new change their products, one update a
// product. Products are locked after the movements and in the order of their ids, as by all that
// changes several of them (postgres_returns.cpp): so no two ever wait for each other.
//
// Nearly always all are new, and to allow for conflicts costs PostgreSQL a third of the work: so
// the batch is first inserted as if it were, and only after a conflict, and for the next seconds,
// with ON CONFLICT. So is a batch with a reduction in it, for which the fence is looked at; to read
// it locks it until the statement's end.

#include <spdlog/spdlog.h>

#include <unordered_set>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/stock/module.hpp>

#include "ledger_halves.hpp"

namespace flashsale::stock {

namespace {

constexpr postgres::statement record_new_movements{
    "record_new_movements",
    "WITH batch AS ("
    "  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[],"
    "                       $6::bigint[], $7::text[], $8::timestamptz[], $9::bigint[])"
    "    AS b (id, product_id, delta, kind, epoch, seq, idempotency_key, created_at, line)"
    "), fresh AS ("
    "  INSERT INTO movements (id, product_id, delta, kind, epoch, seq, idempotency_key,"
    "                         created_at, line)"
    "  SELECT b.id, b.product_id, b.delta, b.kind, b.epoch, b.seq,"
    "         nullif(b.idempotency_key, ''), b.created_at, b.line"
    "  FROM batch b JOIN products p ON p.id = b.product_id"
    "  RETURNING product_id, delta"
    "), sums AS ("
    "  SELECT product_id, sum(delta)::bigint AS delta FROM fresh GROUP BY product_id"
    "), locked AS ("
    "  SELECT id FROM products WHERE id IN (SELECT product_id FROM sums) ORDER BY id FOR UPDATE"
    "), changed AS ("
    "  UPDATE products p SET stock = p.stock + s.delta, version = p.version + 1"
    "  FROM locked l JOIN sums s ON s.product_id = l.id WHERE p.id = l.id"
    ") SELECT count(*) FROM fresh"};

constexpr postgres::statement record_movements{
    "record_movements",
    "WITH batch AS ("
    "  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[],"
    "                       $6::bigint[], $7::text[], $8::timestamptz[], $9::bigint[],"
    "                       $10::bigint[])"
    "    AS b (id, product_id, delta, kind, epoch, seq, idempotency_key, created_at, line,"
    "          shard)"
    "  WHERE b.kind = 'sale' OR NOT EXISTS ("
    "    SELECT FROM fences f WHERE f.shard = b.shard AND f.epoch > b.epoch)"
    "), fresh AS ("
    "  INSERT INTO movements (id, product_id, delta, kind, epoch, seq, idempotency_key,"
    "                         created_at, line)"
    "  SELECT b.id, b.product_id, b.delta, b.kind, b.epoch, b.seq,"
    "         nullif(b.idempotency_key, ''), b.created_at, b.line"
    "  FROM batch b JOIN products p ON p.id = b.product_id"
    "  ON CONFLICT DO NOTHING RETURNING id, line, product_id, delta"
    "), sums AS ("
    "  SELECT product_id, sum(delta)::bigint AS delta FROM fresh GROUP BY product_id"
    "), locked AS ("
    "  SELECT id FROM products WHERE id IN (SELECT product_id FROM sums) ORDER BY id FOR UPDATE"
    "), changed AS ("
    "  UPDATE products p SET stock = p.stock + s.delta, version = p.version + 1"
    "  FROM locked l JOIN sums s ON s.product_id = l.id WHERE p.id = l.id"
    ") SELECT id, line FROM fresh"};

constexpr postgres::statement read_fences{"read_fences", "SELECT shard, epoch FROM fences"};
constexpr postgres::statement known_movements{
    "known_movements",
    "SELECT t.id, t.line, t.kind, t.idempotency_key IS NOT NULL,"
    "       EXISTS (SELECT FROM movements r WHERE r.id = t.id AND r.line = t.line AND r.kind = "
    "'drop')"
    " FROM movements t WHERE t.id = ANY($1::uuid[]) AND NOT t.back"};

constexpr std::int64_t no_shard = -1;  // has no fence

/// What was delivered again came with others.
constexpr std::chrono::seconds repeats_come_together_for{2};

postgres::parameters parameters_of(std::span<const movement> movements) {
    std::vector<uuid> ids;
    std::vector<std::int64_t> products, deltas, epochs, seqs, lines;
    std::vector<std::string_view> kinds, keys;
    std::vector<timestamp> times;
    for (const movement& one : movements) {
        const bool sale = one.what == operation::sale;
        ids.push_back(one.id);
        products.push_back(one.product_id);
        deltas.push_back(one.delta);
        kinds.push_back(sale ? "sale" : "reduction");
        epochs.push_back(static_cast<std::int64_t>(one.epoch));
        seqs.push_back(static_cast<std::int64_t>(one.seq));
        keys.push_back(sale ? std::string_view{} : one.idempotency_key);
        times.push_back(one.created_at);
        lines.push_back(one.line);
    }
    postgres::parameters out;
    out.uuids(ids).integers(products).integers(deltas).texts(kinds);
    out.integers(epochs).integers(seqs).texts(keys).times(times).integers(lines);
    return out;
}

using id_set = std::unordered_set<allocation_id, allocation_id_hash>;

/// Of an id and a line.
allocation_id id_of(const postgres::rows& rows, std::size_t row) {
    return {rows.uuid(row, 0), static_cast<std::uint32_t>(rows.integer(row, 1))};
}

bool is_reduction(const movement& one) {
    return one.what == operation::reduction;
}

class postgres_ledger final : public ledger {
public:
    postgres_ledger(postgres::session& database, bool fenced)
        : database_(database), fenced_(fenced) {}

    std::expected<std::vector<refused_movement>, std::string> record(
        std::span<const movement> movements) override {
        return record_by_halves(
            movements, [this](std::span<const movement> batch) { return record_whole(batch); });
    }

private:
    recorded_batch record_whole(std::span<const movement> movements) {
        const auto now = std::chrono::steady_clock::now();
        if (std::ranges::any_of(movements, is_reduction) || now < repeats_until_)
            return record_those_not_there(movements);
        auto inserted = database_.execute(record_new_movements, parameters_of(movements));
        if (inserted) {
            if (inserted->integer(0, 0) == std::ssize(movements))
                return std::vector<refused_movement>{};
            return explain_missing(movements, {});
        }
        if (inserted.error().what != postgres::error::kind::unique_violation)
            return fault_of(inserted.error());
        repeats_until_ = now + repeats_come_together_for;
        return record_those_not_there(movements);
    }

    recorded_batch record_those_not_there(std::span<const movement> movements) {
        static const postgres::statement once_each{
            record_movements.name, faults::without(faults::guard::returning, record_movements.sql,
                                                   "FROM fresh GROUP BY", "FROM batch GROUP BY")
                                       .data()};
        std::vector<std::int64_t> shards;
        for (const movement& one : movements)
            shards.push_back(fenced_ ? one.shard : no_shard);
        auto fresh = database_.execute(once_each, parameters_of(movements).integers(shards));
        if (!fresh) return fault_of(fresh.error());
        if (fresh->size() == movements.size()) return std::vector<refused_movement>{};
        id_set known;
        for (std::size_t row = 0; row < fresh->size(); ++row)
            known.insert(id_of(*fresh, row));
        return explain_missing(movements, std::move(known));
    }

    static std::unexpected<ledger_fault> fault_of(const postgres::error& error) {
        const bool hopeless = error.what == postgres::error::kind::data ||
                              error.what == postgres::error::kind::unique_violation;
        return std::unexpected(ledger_fault{hopeless, error.message});
    }

    /// Those not known to be there were recorded before, or can never be.
    recorded_batch explain_missing(std::span<const movement> movements, id_set known) {
        std::vector<uuid> missing;
        std::unordered_map<allocation_id, const movement*, allocation_id_hash> by_id;
        for (const movement& one : movements) {
            if (known.contains(one.taken())) continue;
            missing.push_back(one.id);
            by_id.emplace(one.taken(), &one);
        }
        auto found = database_.execute(known_movements, postgres::parameters().uuids(missing));
        if (!found) return fault_of(found.error());
        std::vector<refused_movement> refused;
        for (std::size_t row = 0; row < found->size(); ++row) {
            const auto wanted = by_id.find(id_of(*found, row));
            if (wanted == by_id.end()) continue;  // another line of its order
            known.insert(wanted->first);
            if (found->boolean(row, 4) ||
                !is_same_movement(*wanted->second, found->text(row, 2), found->boolean(row, 3)))
                refused.push_back(refused_as_given_back(*wanted->second));
        }
        const auto is_known = [&](const movement& one) { return known.contains(one.taken()); };
        if (std::ranges::all_of(movements, is_known)) return refused;
        // It only grows: what it kept out it keeps out still.
        auto fences = database_.execute(read_fences);
        if (!fences) return fault_of(fences.error());
        std::unordered_map<std::int64_t, std::int64_t> oldest;
        for (std::size_t row = 0; row < fences->size(); ++row)
            oldest.emplace(fences->integer(row, 0), fences->integer(row, 1));
        for (const movement& one : movements) {
            if (is_known(one)) continue;
            refused.push_back(refused_without_error(one));
            const auto fence = oldest.find(fenced_ ? one.shard : no_shard);
            refused.back().late = is_reduction(one) && fence != oldest.end() &&
                                  static_cast<std::int64_t>(one.epoch) < fence->second;
        }
        return refused;
    }

    postgres::session& database_;
    const bool fenced_;
    std::chrono::steady_clock::time_point repeats_until_{};  // no plain INSERT before
};

}  // namespace

std::unique_ptr<ledger> make_postgres_ledger(postgres::session& database, bool fenced) {
    return std::make_unique<postgres_ledger>(database, fenced);
}

}  // namespace flashsale::stock
