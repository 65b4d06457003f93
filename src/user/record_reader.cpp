#include <flashsale/sql.hpp>
#include <flashsale/user/record.hpp>

#include <algorithm>
#include <limits>

#include "charge_matching.hpp"

namespace flashsale::user {

namespace {

// A page is known by its users; the entries are those up to its last user, and of the last page all
// that are left. A join of the two would be slow in SQLite, which has no hash of a part.
constexpr sql::statement page_balances{
    sql::access::read, "record_page_balances",
    "WITH page AS (SELECT id, balance FROM users WHERE id > $1 ORDER BY id LIMIT $2)"
    " SELECT id, max(balance), CAST(sum(amount) AS bigint) FROM"
    "   (SELECT id, balance, 0 AS amount FROM page"
    "    UNION ALL"
    "    SELECT user_id, NULL, amount FROM balance_entries WHERE user_id > $1 AND user_id <="
    "      (SELECT CASE WHEN count(*) < $2 THEN 9223372036854775807 ELSE max(id) END FROM page))"
    "   AS noted"
    " GROUP BY id ORDER BY id"};

#define CHARGE_COLUMNS "payment_id, order_id, user_id, amount"
constexpr sql::statement all_taken{sql::access::read, "record_all_taken",
                                   "SELECT " CHARGE_COLUMNS " FROM charge_decisions WHERE taken"};
constexpr sql::statement find_taken{
    sql::access::read,
    "record_find_taken",
    "SELECT " CHARGE_COLUMNS " FROM charge_decisions WHERE taken AND payment_id = ANY($1::uuid[])",
    {"SELECT " CHARGE_COLUMNS " FROM charge_decisions WHERE taken AND payment_id = ?1"}};
#undef CHARGE_COLUMNS
#define REFUND_COLUMNS "idempotency_key, payment_id, order_id, user_id, amount"
constexpr sql::statement all_given_back{sql::access::read, "record_all_given_back",
                                        "SELECT " REFUND_COLUMNS
                                        " FROM balance_entries WHERE kind = 'refund'"};
constexpr sql::statement find_given_back{
    sql::access::read,
    "record_find_given_back",
    "SELECT " REFUND_COLUMNS
    " FROM balance_entries WHERE kind = 'refund' AND idempotency_key = ANY($1::text[])",
    {"SELECT " REFUND_COLUMNS
     " FROM balance_entries WHERE kind = 'refund' AND idempotency_key = ?1"}};
#undef REFUND_COLUMNS
constexpr sql::statement all_payment_entries{
    sql::access::read, "record_all_payment_entries",
    "SELECT payment_id, order_id, user_id, -amount FROM balance_entries WHERE kind = 'payment'"};
// A page is known by the users who have entries. One of which nothing is wrong has a row too: the
// next page begins behind it.
constexpr sql::statement page_books{
    sql::access::read, "record_page_books",
    "WITH page AS (SELECT DISTINCT user_id FROM balance_entries WHERE user_id > $1"
    "              ORDER BY user_id LIMIT $2)"
    " SELECT user_id, CAST(max(CASE WHEN balance_after <> added THEN 1 ELSE 0 END) AS bigint)"
    " FROM (SELECT user_id, balance_after,"
    "              sum(amount) OVER (PARTITION BY user_id ORDER BY id) AS added"
    "       FROM balance_entries"
    "       WHERE user_id > $1 AND user_id <= (SELECT max(user_id) FROM page)) AS books"
    " GROUP BY user_id ORDER BY user_id"};
constexpr std::size_t rows_per_piece = 10'000;

taken_charge charge_of(const sql::rows& rows, std::size_t row) {
    return {rows.uuid(row, 0), rows.uuid(row, 1), rows.integer(row, 2), rows.integer(row, 3)};
}

given_refund given_refund_of(const sql::rows& rows, std::size_t row) {
    const auto id = [&](std::size_t column) {
        return rows.is_null(row, column) ? std::optional<uuid>{}
                                         : std::optional(rows.uuid(row, column));
    };
    return {std::string(rows.text(row, 0)), id(1), id(2), rows.integer(row, 3),
            rows.integer(row, 4)};
}

std::unexpected<std::string> fault_of(const sql::error& error) {
    return std::unexpected("user database: " + error.message);
}

class sql_record_reader final : public record_reader {
public:
    explicit sql_record_reader(std::unique_ptr<sql::session> database)
        : database_(std::move(database)) {}

    std::expected<page, std::string> balances(std::int64_t after, std::size_t users_max) override {
        const auto found = database_->execute(
            page_balances,
            sql::parameters().integer(after).integer(static_cast<std::int64_t>(users_max)));
        if (!found) return fault_of(found.error());
        page out;
        out.rows.reserve(found->size());
        for (std::size_t row = 0; row < found->size(); ++row) {
            out.rows.push_back(
                {found->integer(row, 0), found->optional_integer(row, 1), found->integer(row, 2)});
        }
        const auto users = std::ranges::count_if(
            out.rows, [](const recorded_balance& one) { return one.balance.has_value(); });
        if (users == static_cast<std::ptrdiff_t>(users_max)) out.next = out.rows.back().user_id;
        return out;
    }

    std::expected<void, std::string> for_each_taken(
        const std::function<void(taken_charge)>& each) override {
        const auto done = database_->stream(all_taken, rows_per_piece, [&](const sql::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row)
                each(charge_of(rows, row));
        });
        if (!done) return fault_of(done.error());
        return {};
    }

    std::expected<std::vector<taken_charge>, std::string> taken(
        std::span<const uuid> payments) override {
        if (payments.empty()) return std::vector<taken_charge>{};
        return charges(find_taken, sql::parameters().uuids(payments));
    }

    std::expected<void, std::string> for_each_given_back(
        const std::function<void(given_refund)>& each) override {
        const auto done =
            database_->stream(all_given_back, rows_per_piece, [&](const sql::rows& rows) {
                for (std::size_t row = 0; row < rows.size(); ++row)
                    each(given_refund_of(rows, row));
            });
        if (!done) return fault_of(done.error());
        return {};
    }

    std::expected<std::vector<given_refund>, std::string> given_back(
        std::span<const std::string> refunds) override {
        std::vector<given_refund> out;
        if (refunds.empty()) return out;
        const auto found = database_->execute(find_given_back, sql::parameters().texts(refunds));
        if (!found) return fault_of(found.error());
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(given_refund_of(*found, row));
        return out;
    }

    std::expected<std::vector<taken_charge>, std::string> without_entry() override {
        charge_matching all;
        auto done = for_each_taken([&](taken_charge one) { all.note(one); });
        if (!done) return std::unexpected(done.error());
        const auto entries =
            database_->stream(all_payment_entries, rows_per_piece, [&](const sql::rows& rows) {
                for (std::size_t row = 0; row < rows.size(); ++row)
                    all.note_entry(charge_of(rows, row));
            });
        if (!entries) return fault_of(entries.error());
        while (const auto later = all.next_unknown(rows_per_piece)) {
            const auto found = taken(*later);
            if (!found) return found;
            for (const taken_charge& one : *found)
                all.note_later(one);
        }
        return all.odd();
    }

    std::expected<std::vector<std::int64_t>, std::string> broken_books() override {
        std::vector<std::int64_t> out;
        auto after = std::numeric_limits<std::int64_t>::min();
        while (true) {
            const auto found = database_->execute(
                page_books, sql::parameters().integer(after).integer(std::int64_t{rows_per_piece}));
            if (!found) return fault_of(found.error());
            for (std::size_t row = 0; row < found->size(); ++row) {
                after = found->integer(row, 0);
                if (found->integer(row, 1) != 0) out.push_back(after);
            }
            if (found->size() < rows_per_piece) return out;
        }
    }

private:
    std::expected<std::vector<taken_charge>, std::string> charges(const sql::statement& what,
                                                                  const sql::parameters& with) {
        const auto found = database_->execute(what, with);
        if (!found) return fault_of(found.error());
        std::vector<taken_charge> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(charge_of(*found, row));
        return out;
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

}  // namespace flashsale::user
