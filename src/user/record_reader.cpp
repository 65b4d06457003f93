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

class sql_record_reader final : public record_reader {
public:
    explicit sql_record_reader(std::unique_ptr<sql::session> database)
        : database_(std::move(database)) {}

    std::expected<page, std::string> balances(std::int64_t after, std::size_t users_max) override {
        const auto found = database_->execute(
            page_balances,
            sql::parameters().integer(after).integer(static_cast<std::int64_t>(users_max)));
        if (!found) return std::unexpected("user database: " + found.error().message);
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

private:
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
