#include <flashsale/sql.hpp>
#include <flashsale/user/record.hpp>

#include <algorithm>

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
constexpr sql::statement charges_without_entry{
    sql::access::read, "record_charges_without_entry",
    "SELECT coalesce(d.payment_id, e.payment_id), coalesce(d.order_id, e.order_id),"
    "       coalesce(d.user_id, e.user_id), coalesce(d.amount, -e.amount)"
    " FROM (SELECT * FROM charge_decisions WHERE taken AND amount > 0) d"
    " FULL JOIN (SELECT *, count(*) OVER (PARTITION BY payment_id) AS alike"
    "            FROM balance_entries WHERE kind = 'payment') e"
    "   ON e.payment_id = d.payment_id"
    " WHERE d.payment_id IS NULL OR e.payment_id IS NULL OR e.amount <> -d.amount"
    "    OR e.user_id <> d.user_id OR e.order_id <> d.order_id OR e.alike > 1"
    " ORDER BY 1"};
constexpr sql::statement entries_out_of_step{
    sql::access::read, "record_entries_out_of_step",
    "SELECT DISTINCT user_id FROM"
    "  (SELECT user_id, balance_after,"
    "          sum(amount) OVER (PARTITION BY user_id ORDER BY id) AS added FROM balance_entries)"
    "  AS books"
    " WHERE balance_after <> added ORDER BY user_id"};
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
        return charges(charges_without_entry, {});
    }

    std::expected<std::vector<std::int64_t>, std::string> broken_books() override {
        const auto found = database_->execute(entries_out_of_step);
        if (!found) return fault_of(found.error());
        std::vector<std::int64_t> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back(found->integer(row, 0));
        return out;
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
