// The ledger on SQLite. One transaction for a whole batch: movements go in by order and line, once
// each, and only those that were new change their products, one update a product.

#include <unordered_map>

#include <flashsale/sqlite.hpp>
#include <flashsale/stock/module.hpp>

#include "ledger_halves.hpp"

namespace flashsale::stock {

namespace {

constexpr sqlite::statement insert_movement{
    "INSERT INTO movements (id, product_id, delta, kind, epoch, seq, idempotency_key,"
    "                       created_at, line)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, ''), ?8, ?9) ON CONFLICT DO NOTHING"};
constexpr sqlite::statement find_product{"SELECT 1 FROM products WHERE id = ?1"};
constexpr sqlite::statement change_stock{
    "UPDATE products SET stock = stock + ?2, version = version + 1 WHERE id = ?1"};
constexpr sqlite::statement known_movement{
    "SELECT kind, idempotency_key IS NOT NULL,"
    "       EXISTS (SELECT 1 FROM movements WHERE id = ?1 AND line = ?2 AND kind = 'drop')"
    " FROM movements WHERE id = ?1 AND line = ?2 AND NOT back"};

struct product_change {
    bool exists = false;
    std::int64_t delta = 0;
};

std::expected<bool, sqlite::error> insert(sqlite::database& in, const movement& one) {
    const bool sale = one.what == operation::sale;
    auto row = in.prepare(insert_movement);
    row.uuid(one.id).integer(one.product_id).integer(one.delta).text(sale ? "sale" : "reduction");
    row.integer(static_cast<std::int64_t>(one.epoch));
    row.integer(static_cast<std::int64_t>(one.seq));
    row.text(sale ? std::string_view{} : std::string_view(one.idempotency_key));
    const auto inserted = row.time(one.created_at).integer(one.line).run();
    if (!inserted) return std::unexpected(inserted.error());
    return *inserted == 1;
}

std::expected<void, sqlite::error> record_in(sqlite::database& in,
                                             std::span<const movement> movements,
                                             std::vector<refused_movement>& refused) {
    std::unordered_map<std::int64_t, product_change> changes;
    std::vector<const movement*> missing;
    for (const movement& one : movements) {
        const auto [product, first] = changes.try_emplace(one.product_id);
        if (first) {
            const auto exists = in.prepare(find_product).integer(one.product_id).step();
            if (!exists) return std::unexpected(exists.error());
            product->second.exists = *exists;
        }
        std::expected<bool, sqlite::error> fresh = false;
        if (product->second.exists) fresh = insert(in, one);
        if (!fresh) return std::unexpected(fresh.error());
        if (*fresh) {
            product->second.delta += one.delta;
        } else {
            missing.push_back(&one);
        }
    }
    for (const auto& [product, change] : changes) {
        if (change.delta == 0) continue;
        const auto changed = in.prepare(change_stock).integer(product).integer(change.delta).run();
        if (!changed) return std::unexpected(changed.error());
    }
    // Those not inserted were recorded before, or can never be.
    for (const movement* one : missing) {
        auto row = in.prepare(known_movement);
        const auto known = row.uuid(one->id).integer(one->line).step();
        if (!known) return std::unexpected(known.error());
        if (!*known) {
            refused.push_back(refused_without_error(*one));
        } else if (row.integer_at(2) != 0 ||
                   !is_same_movement(*one, row.text_at(0), row.integer_at(1) != 0)) {
            refused.push_back(refused_as_given_back(*one));
        }
    }
    return {};
}

class sqlite_ledger final : public ledger {
public:
    explicit sqlite_ledger(sqlite::database& database) : database_(database) {}

    std::expected<std::vector<refused_movement>, std::string> record(
        std::span<const movement> movements) override {
        return record_by_halves(
            movements, [this](std::span<const movement> batch) { return record_whole(batch); });
    }

private:
    recorded_batch record_whole(std::span<const movement> movements) {
        std::vector<refused_movement> refused;
        const auto done = database_.transaction(sqlite::access::write, [&](sqlite::database& in) {
            return record_in(in, movements, refused);
        });
        if (done) return refused;
        const bool hopeless = done.error().what == sqlite::error::kind::data ||
                              done.error().what == sqlite::error::kind::unique_violation;
        return std::unexpected(ledger_fault{hopeless, done.error().message});
    }

    sqlite::database& database_;
};

}  // namespace

std::unique_ptr<ledger> make_sqlite_ledger(sqlite::database& database) {
    return std::make_unique<sqlite_ledger>(database);
}

}  // namespace flashsale::stock
