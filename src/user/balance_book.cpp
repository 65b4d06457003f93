#include "balance_book.hpp"

#include <limits>

#include "sql_errc.hpp"

namespace flashsale::user {

namespace {

using sql::access;

#define ENTRY_COLUMNS "id, user_id, kind, amount, balance_after, created_at, order_id, payment_id"

// One statement decides, changes the balance and notes it, under the lock on the user's row; id and
// time of the entry are taken under that lock too. A twin that waited for it does not see the entry
// of the first one: then the unique key undoes all of the statement. SQLite has one writer at a
// time.
constexpr sql::statement add_deposit{
    access::write,
    "add_deposit",
    "WITH changed AS ("
    "  UPDATE users SET balance = balance + $3"
    "  WHERE id = $1 AND balance <= $4 AND NOT EXISTS"
    "    (SELECT FROM balance_entries"
    "     WHERE user_id = $1 AND kind = 'deposit' AND idempotency_key = $2)"
    "  RETURNING id, balance"
    ") INSERT INTO balance_entries"
    "    (user_id, amount, kind, idempotency_key, balance_after, created_at)"
    "  SELECT id, $3, 'deposit', $2, balance, clock_timestamp() FROM changed"
    "  RETURNING " ENTRY_COLUMNS,
    {"UPDATE users SET balance = balance + ?3"
     " WHERE id = ?1 AND balance <= ?4 AND NOT EXISTS"
     "   (SELECT 1 FROM balance_entries"
     "    WHERE user_id = ?1 AND kind = 'deposit' AND idempotency_key = ?2)",
     "INSERT INTO balance_entries"
     "   (user_id, amount, kind, idempotency_key, balance_after, created_at)"
     " SELECT id, ?3, 'deposit', ?2, balance, ?5 FROM users WHERE id = ?1 AND changes() = 1"
     " RETURNING " ENTRY_COLUMNS}};
constexpr sql::statement find_deposit{
    access::read, "find_deposit",
    "SELECT e.id, e.user_id, e.kind, e.amount, e.balance_after, e.created_at,"
    "  e.order_id, e.payment_id, u.balance"
    " FROM users u LEFT JOIN balance_entries e"
    "   ON e.user_id = u.id AND e.kind = 'deposit' AND e.idempotency_key = $1"
    " WHERE u.id = $2"};
constexpr sql::statement list_entries{access::read, "list_entries",
                                      "SELECT " ENTRY_COLUMNS
                                      " FROM balance_entries WHERE user_id = $1 AND id < $2"
                                      " ORDER BY id DESC LIMIT $3"};
#undef ENTRY_COLUMNS

balance_entry entry_of(const sql::rows& rows, std::size_t row) {
    const auto uuid_at = [&](std::size_t column) {
        return rows.is_null(row, column) ? std::nullopt : std::optional(rows.uuid(row, column));
    };
    return {rows.integer(row, 0),
            rows.integer(row, 1),
            std::string(rows.text(row, 2)),
            rows.integer(row, 3),
            rows.integer(row, 4),
            rows.time(row, 5),
            uuid_at(6),
            uuid_at(7)};
}

}  // namespace

awaitable<std::expected<store::deposited, store_errc>> balance_book::deposit(std::int64_t user_id,
                                                                             std::int64_t amount,
                                                                             std::string key) {
    const std::int64_t balance_before_max = balance_max - amount;
    sql::parameters with;
    with.integer(user_id).text(key).integer(amount).integer(balance_before_max).now();
    auto made = co_await database_.execute(add_deposit, std::move(with));
    const bool twin = !made && made.error().what == sql::error::kind::unique_violation;
    if (!made && !twin) co_return std::unexpected(errc_of(made.error()));
    if (!twin && !made->empty()) co_return store::deposited{entry_of(*made, 0), false};

    auto known = co_await database_.execute(
        find_deposit, std::move(sql::parameters().text(key).integer(user_id)));
    if (!known) co_return std::unexpected(errc_of(known.error()));
    if (known->empty()) co_return std::unexpected(store_errc::user_not_found);
    if (known->is_null(0, 0)) {
        // Nothing was added, and nothing has this key. What was in the way may be gone by now.
        const bool too_high = known->integer(0, 8) > balance_before_max;
        co_return std::unexpected(too_high ? store_errc::balance_too_high
                                           : store_errc::outcome_unknown);
    }
    store::deposited first{entry_of(*known, 0), true};
    if (first.entry.amount != amount) co_return std::unexpected(store_errc::idempotency_key_reused);
    co_return first;
}

awaitable<std::expected<std::vector<balance_entry>, store_errc>> balance_book::entries(
    std::int64_t user_id, std::optional<std::int64_t> before, std::int64_t limit) {
    sql::parameters with;
    with.integer(user_id).integer(before.value_or(std::numeric_limits<std::int64_t>::max()));
    with.integer(limit);
    auto found = co_await database_.execute(list_entries, std::move(with));
    if (!found) co_return std::unexpected(errc_of_read(found.error()));
    std::vector<balance_entry> out;
    out.reserve(found->size());
    for (std::size_t row = 0; row < found->size(); ++row)
        out.push_back(entry_of(*found, row));
    co_return out;
}

}  // namespace flashsale::user
