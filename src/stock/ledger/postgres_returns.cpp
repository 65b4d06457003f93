// Returns on PostgreSQL. One transaction for a whole batch: what is there of it is read, then one
// statement writes each line's own movement and its return, each once, and changes products and
// buyers by those that were new.
//
// Movements come before products, and products are locked in the order of their ids, as the ledger
// does it. The recorder may write a line's movement at the same moment: whichever comes second
// waits for the other's transaction, and finds it there.

#include <flashsale/base/fault_points.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/stock/module.hpp>

#include <algorithm>
#include <unordered_map>

#include "gate_product_columns.hpp"
#include "returned_lines.hpp"

namespace flashsale::stock {

namespace {

constexpr postgres::statement known_lines{
    "returns_known_lines",
    "SELECT b.place, p.id IS NOT NULL, coalesce(t.kind, ''), coalesce(r.kind, '')"
    " FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) WITH ORDINALITY"
    "   AS b (id, line, product_id, place)"
    " LEFT JOIN products p ON p.id = b.product_id"
    " LEFT JOIN movements t ON t.id = b.id AND t.line = b.line AND NOT t.back"
    " LEFT JOIN movements r ON r.id = b.id AND r.line = b.line AND r.back"};

// The subquery keeps the order of the arrays: movements are written in it.
constexpr postgres::statement record_returns{
    "record_returns",
    "WITH batch AS ("
    "  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],"
    "                       $6::bigint[], $7::timestamptz[], $8::bigint[], $9::text[],"
    "                       $10::bigint[])"
    "    AS b (id, line, product_id, quantity, epoch, seq, created_at, user_id, kind, sold)"
    "), taken AS ("
    "  INSERT INTO movements (id, line, product_id, delta, kind, epoch, seq, created_at)"
    "  SELECT id, line, product_id, -quantity, 'sale', epoch, seq, created_at FROM batch"
    "  WHERE sold = 0"
    "  ON CONFLICT (id, line, back) DO NOTHING RETURNING product_id, delta"
    "), came_back AS ("
    "  INSERT INTO movements (id, line, back, product_id, delta, kind)"
    "  SELECT id, line, true, product_id, CASE kind WHEN 'return' THEN quantity ELSE 0 END, kind"
    "  FROM batch"
    "  ON CONFLICT (id, line, back) DO NOTHING RETURNING id, line, product_id, delta"
    "), sums AS ("
    "  SELECT product_id, sum(delta)::bigint AS delta, sum(returned)::bigint AS returned"
    "  FROM (SELECT product_id, delta, 0 AS returned FROM taken"
    "        UNION ALL SELECT product_id, delta, delta FROM came_back) AS moved"
    "  GROUP BY product_id"
    "), locked AS ("
    "  SELECT id FROM products WHERE id IN (SELECT product_id FROM sums) ORDER BY id FOR UPDATE"
    "), changed AS ("
    "  UPDATE products p SET stock = p.stock + s.delta, supplied = p.supplied + s.returned,"
    "                        returned = p.returned + s.returned, version = p.version + 1"
    "  FROM locked l JOIN sums s ON s.product_id = l.id WHERE p.id = l.id"
    ") INSERT INTO buyer_returns AS v (product_id, user_id, returned)"
    " SELECT b.product_id, b.user_id, sum(b.quantity)::bigint"
    " FROM came_back c JOIN batch b ON b.id = c.id AND b.line = c.line"
    " JOIN products p ON p.id = b.product_id AND coalesce(p.per_user_limit, p.sale_limit) IS NOT "
    "NULL"
    " GROUP BY b.product_id, b.user_id ORDER BY b.product_id, b.user_id"
    " ON CONFLICT (product_id, user_id) DO UPDATE SET returned = v.returned + excluded.returned"};

constexpr postgres::statement read_products{
    "returns_read_products",
    "SELECT " GATE_PRODUCT_COLUMNS " FROM products WHERE id = ANY($1::bigint[]) ORDER BY id"};
constexpr postgres::statement read_buyers{
    "returns_read_buyers",
    "SELECT DISTINCT v.product_id, v.user_id, v.returned"
    " FROM unnest($1::bigint[], $2::bigint[]) AS b (product_id, user_id)"
    " JOIN buyer_returns v ON v.product_id = b.product_id AND v.user_id = b.user_id"};

class postgres_returns final : public returns {
public:
    explicit postgres_returns(postgres::session& database) : database_(database) {}

    std::expected<recorded_returns, std::string> record(
        std::span<const ended_line> lines) override {
        const auto sorted = in_order(lines);
        return return_by_halves(
            sorted, [this](std::span<const ended_line> batch) { return record_whole(batch); });
    }

private:
    using attempt = std::expected<void, postgres::error>;

    returned_batch record_whole(std::span<const ended_line> lines) {
        recorded_returns out;
        const auto done = database_.transaction([&](postgres::session& in) -> attempt {
            out = {};
            const auto good = without_refused(in, lines, out);
            if (!good) return std::unexpected(good.error());
            if (good->lines.empty()) return {};
            if (auto written = write(in, *good); !written) return written;
            return read(in, good->lines, out.units);
        });
        if (done) return out;
        const bool hopeless = done.error().what == postgres::error::kind::data ||
                              done.error().what == postgres::error::kind::unique_violation;
        return std::unexpected(ledger_fault{hopeless, done.error().message});
    }

    struct batch {
        std::vector<ended_line> lines;
        std::vector<std::int64_t> sold;  ///< of each, 1 if its sale is there; nearly always it is
    };

    static std::expected<batch, postgres::error> without_refused(postgres::session& in,
                                                                 std::span<const ended_line> lines,
                                                                 recorded_returns& out) {
        std::vector<uuid> ids;
        std::vector<std::int64_t> numbers, products;
        for (const ended_line& one : lines) {
            ids.push_back(one.taken.id);
            numbers.push_back(one.taken.line);
            products.push_back(one.taken.product_id);
        }
        postgres::parameters with;
        with.uuids(ids).integers(numbers).integers(products);
        const auto known = in.execute(known_lines, with);
        if (!known) return std::unexpected(known.error());
        std::vector<std::string> faults(lines.size());
        std::vector<std::int64_t> sold(lines.size());
        for (std::size_t row = 0; row < known->size(); ++row) {
            const auto place = static_cast<std::size_t>(known->integer(row, 0) - 1);
            faults[place] = fault_of_return(lines[place], known->boolean(row, 1),
                                            known->text(row, 2), known->text(row, 3));
            sold[place] = !known->text(row, 2).empty();
        }
        batch good;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (faults[i].empty()) {
                good.lines.push_back(lines[i]);
                good.sold.push_back(sold[i]);
            } else {
                out.refused.push_back({lines[i].taken.taken(), std::move(faults[i])});
            }
        }
        return good;
    }

    static attempt write(postgres::session& in, const batch& good) {
        std::vector<uuid> ids;
        std::vector<std::int64_t> numbers, products, quantities, epochs, seqs, users;
        std::vector<timestamp> times;
        std::vector<std::string_view> kinds;
        for (const ended_line& one : good.lines) {
            ids.push_back(one.taken.id);
            numbers.push_back(one.taken.line);
            products.push_back(one.taken.product_id);
            quantities.push_back(-one.taken.delta);
            epochs.push_back(static_cast<std::int64_t>(one.taken.epoch));
            seqs.push_back(static_cast<std::int64_t>(one.taken.seq));
            times.push_back(one.taken.created_at);
            users.push_back(one.user_id);
            kinds.push_back(kind_of_return(one));
        }
        postgres::parameters with;
        with.uuids(ids).integers(numbers).integers(products).integers(quantities);
        with.integers(epochs).integers(seqs).times(times).integers(users).texts(kinds);
        with.integers(good.sold);
        static const postgres::statement once_each{
            record_returns.name,
            faults::without(faults::guard::returning, record_returns.sql, "FROM came_back)",
                            "FROM (SELECT product_id, quantity AS delta FROM batch) b)")
                .data()};
        const auto done = in.execute(once_each, with);
        if (!done) return std::unexpected(done.error());
        return {};
    }

    static attempt read(postgres::session& in, std::span<const ended_line> lines,
                        returned_units& into) {
        std::vector<std::int64_t> products, users;
        for (const ended_line& one : lines) {
            products.push_back(one.taken.product_id);
            users.push_back(one.user_id);
        }
        const auto found =
            in.execute(read_products, std::move(postgres::parameters().integers(products)));
        if (!found) return std::unexpected(found.error());
        for (std::size_t row = 0; row < found->size(); ++row) {
            into.products.push_back(gate_product_at(*found, row));
        }
        const auto buyers = in.execute(
            read_buyers, std::move(postgres::parameters().integers(products).integers(users)));
        if (!buyers) return std::unexpected(buyers.error());
        for (std::size_t row = 0; row < buyers->size(); ++row) {
            // Not joined for each buyer: its row is changed by every batch, and slow to find.
            const auto of =
                std::ranges::find(into.products, buyers->integer(row, 0), &gate_product::id);
            into.buyers.push_back({buyers->integer(row, 0), buyers->integer(row, 1),
                                   buyers->integer(row, 2),
                                   of == into.products.end() ? 0 : of->counting_sale()});
        }
        return {};
    }

    postgres::session& database_;
};

}  // namespace

std::unique_ptr<returns> make_postgres_returns(postgres::session& database) {
    return std::make_unique<postgres_returns>(database);
}

}  // namespace flashsale::stock
