// Returns on SQLite. One transaction for a whole batch, which has the file to itself: each line's
// own movement and its return, each once, and products and buyers change by those that were new.

#include <flashsale/sqlite.hpp>
#include <flashsale/stock/module.hpp>

#include <map>
#include <set>

#include "gate_product_columns.hpp"
#include "returned_lines.hpp"

namespace flashsale::stock {

namespace {

constexpr sqlite::statement known_line{
    "SELECT EXISTS (SELECT 1 FROM products WHERE id = ?3),"
    "       coalesce((SELECT kind FROM movements WHERE id = ?1 AND line = ?2 AND NOT back), ''),"
    "       coalesce((SELECT kind FROM movements WHERE id = ?1 AND line = ?2 AND back), '')"};
constexpr sqlite::statement insert_sale{
    "INSERT INTO movements (id, line, product_id, delta, kind, epoch, seq, created_at)"
    " VALUES (?1, ?2, ?3, ?4, 'sale', ?5, ?6, ?7) ON CONFLICT DO NOTHING"};
constexpr sqlite::statement insert_return{
    "INSERT INTO movements (id, line, back, product_id, delta, kind, created_at)"
    " VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING"};
constexpr sqlite::statement change_product{
    "UPDATE products SET stock = stock + ?2, supplied = supplied + ?3, returned = returned + ?3,"
    "                    version = version + 1"
    " WHERE id = ?1"};
constexpr sqlite::statement add_to_buyer{
    "INSERT INTO buyer_returns (product_id, user_id, returned)"
    " SELECT id, ?2, ?3 FROM products WHERE id = ?1 AND coalesce(per_user_limit, sale_limit) IS "
    "NOT NULL"
    " ON CONFLICT (product_id, user_id) DO UPDATE SET returned = returned + excluded.returned"};
constexpr sqlite::statement read_product{"SELECT " GATE_PRODUCT_COLUMNS
                                         " FROM products WHERE id = ?1"};
constexpr sqlite::statement read_buyer{
    "SELECT v.returned, CASE WHEN p.sale_limit IS NULL THEN 0 ELSE p.sale_id END"
    " FROM buyer_returns v JOIN products p ON p.id = v.product_id"
    " WHERE v.product_id = ?1 AND v.user_id = ?2"};

/// The row that a statement is at, read as one of many.
struct row_of {
    explicit row_of(const sqlite::query& at) : at_(at) {}
    std::int64_t integer(std::size_t, std::size_t column) const {
        return at_.integer_at(static_cast<int>(column));
    }
    std::optional<std::int64_t> optional_integer(std::size_t, std::size_t column) const {
        return at_.optional_integer_at(static_cast<int>(column));
    }
    std::optional<timestamp> optional_time(std::size_t, std::size_t column) const {
        return at_.optional_time_at(static_cast<int>(column));
    }
    std::string_view text(std::size_t, std::size_t column) const {
        return at_.text_at(static_cast<int>(column));
    }

private:
    const sqlite::query& at_;
};

using attempt = std::expected<void, sqlite::error>;

struct product_change {
    std::int64_t delta = 0;
    std::int64_t returned = 0;
};

class sqlite_returns final : public returns {
public:
    explicit sqlite_returns(sqlite::database& database) : database_(database) {}

    std::expected<recorded_returns, std::string> record(
        std::span<const ended_line> lines) override {
        const auto sorted = in_order(lines);
        return return_by_halves(
            sorted, [this](std::span<const ended_line> batch) { return record_whole(batch); });
    }

private:
    returned_batch record_whole(std::span<const ended_line> lines) {
        recorded_returns out;
        const auto done = database_.transaction(
            sqlite::access::write, [&](sqlite::database& in) { return record_in(in, lines, out); });
        if (done) return out;
        const bool hopeless = done.error().what == sqlite::error::kind::data ||
                              done.error().what == sqlite::error::kind::unique_violation;
        return std::unexpected(ledger_fault{hopeless, done.error().message});
    }

    static attempt record_in(sqlite::database& in, std::span<const ended_line> lines,
                             recorded_returns& out) {
        out = {};
        std::map<std::int64_t, product_change> changes;
        std::set<std::pair<std::int64_t, std::int64_t>> buyers;
        for (const ended_line& one : lines) {
            const auto fault = fault_of(in, one);
            if (!fault) return std::unexpected(fault.error());
            if (!fault->empty()) {
                out.refused.push_back({one.taken.taken(), *fault});
                continue;
            }
            buyers.emplace(one.taken.product_id, one.user_id);
            if (auto done = write(in, one, changes[one.taken.product_id]); !done) return done;
        }
        for (const auto& [product, change] : changes) {
            const auto done = in.prepare(change_product)
                                  .integer(product)
                                  .integer(change.delta)
                                  .integer(change.returned)
                                  .run();
            if (!done) return std::unexpected(done.error());
            if (auto read = read_units(in, product, out.units); !read) return read;
        }
        for (const auto& [product, user] : buyers) {
            auto row = in.prepare(read_buyer);
            const auto found = row.integer(product).integer(user).step();
            if (!found) return std::unexpected(found.error());
            if (*found)
                out.units.buyers.push_back({product, user, row.integer_at(0), row.integer_at(1)});
        }
        return {};
    }

    static std::expected<std::string, sqlite::error> fault_of(sqlite::database& in,
                                                              const ended_line& one) {
        auto row = in.prepare(known_line);
        const auto found =
            row.uuid(one.taken.id).integer(one.taken.line).integer(one.taken.product_id).step();
        if (!found) return std::unexpected(found.error());
        return fault_of_return(one, row.integer_at(0) != 0, row.text_at(1), row.text_at(2));
    }

    static attempt write(sqlite::database& in, const ended_line& one, product_change& change) {
        const movement& taken = one.taken;
        auto sale = in.prepare(insert_sale);
        sale.uuid(taken.id).integer(taken.line).integer(taken.product_id).integer(taken.delta);
        sale.integer(static_cast<std::int64_t>(taken.epoch));
        sale.integer(static_cast<std::int64_t>(taken.seq));
        const auto sold = sale.time(taken.created_at).run();
        if (!sold) return std::unexpected(sold.error());
        if (*sold == 1) change.delta += taken.delta;
        const std::int64_t back = one.restock ? -taken.delta : 0;
        auto coming = in.prepare(insert_return);
        coming.uuid(taken.id).integer(taken.line).integer(taken.product_id).integer(back);
        const auto came = coming.text(kind_of_return(one)).time(wall_clock_now()).run();
        if (!came) return std::unexpected(came.error());
        if (*came == 0) return {};
        change.delta += back;
        change.returned += back;
        const auto buyer = in.prepare(add_to_buyer)
                               .integer(taken.product_id)
                               .integer(one.user_id)
                               .integer(-taken.delta)
                               .run();
        if (!buyer) return std::unexpected(buyer.error());
        return {};
    }

    static attempt read_units(sqlite::database& in, std::int64_t product, returned_units& into) {
        auto row = in.prepare(read_product);
        const auto found = row.integer(product).step();
        if (!found) return std::unexpected(found.error());
        if (!*found) return {};
        into.products.push_back(gate_product_at(row_of(row), 0));
        return {};
    }

    sqlite::database& database_;
};

}  // namespace

std::unique_ptr<returns> make_sqlite_returns(sqlite::database& database) {
    return std::make_unique<sqlite_returns>(database);
}

}  // namespace flashsale::stock
