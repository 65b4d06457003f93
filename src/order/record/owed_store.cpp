#include <flashsale/order/owed.hpp>
#include <flashsale/sql.hpp>

#include "payment_columns.hpp"
#include "store_errc.hpp"

namespace flashsale::order {

namespace {

using sql::access;

constexpr sql::statement list_owed{
    access::read, "list_owed",
    "SELECT " PAYMENT_COLUMNS_OF("p.") ", " REFUND_COLUMNS_OF("r.")
    " FROM payments p JOIN refunds r ON r.payment_id = p.id"
    " WHERE p.state = 'refund_due' AND p.id > $1 ORDER BY p.id LIMIT $2"};
constexpr sql::statement confirm_refund{
    access::write,
    "confirm_refund",
    "WITH done AS ("
    "  UPDATE refunds SET state = 'succeeded', reference = $2, done_at = now()"
    "  WHERE id = $1 AND state = 'pending' AND method = 'external' RETURNING payment_id"
    "), paid AS ("
    "  UPDATE payments p SET state = 'refunded' FROM done d WHERE p.id = d.payment_id"
    ") SELECT payment_id FROM done",
    {"UPDATE refunds SET state = 'succeeded', reference = ?2, done_at = ?3"
     " WHERE id = ?1 AND state = 'pending' AND method = 'external'",
     "UPDATE payments SET state = 'refunded'"
     " WHERE id = (SELECT payment_id FROM refunds WHERE id = ?1) AND changes() = 1"
     " RETURNING id"}};
constexpr sql::statement find_refund{access::read, "find_refund",
                                     "SELECT " REFUND_COLUMNS_OF("") " FROM refunds WHERE id = $1"};

class sql_owed_payments final : public owed_payments {
public:
    explicit sql_owed_payments(std::unique_ptr<sql::executor> database)
        : database_(std::move(database)) {}

    awaitable<std::expected<std::vector<owed_payment>, store_errc>> list(
        uuid after, std::int64_t limit) override {
        auto found = co_await database_->execute(
            list_owed, std::move(sql::parameters().uuid(after).integer(limit)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        std::vector<owed_payment> out;
        for (std::size_t row = 0; row < found->size(); ++row)
            out.push_back({read_payment(*found, row), read_refund(*found, row, payment_columns)});
        co_return out;
    }

    awaitable<std::expected<confirmation, store_errc>> confirm(uuid refund_id,
                                                               std::string reference) override {
        sql::parameters with;
        with.uuid(refund_id).text(reference).now();
        auto done = co_await database_->execute(confirm_refund, std::move(with));
        if (!done) co_return std::unexpected(errc_of(done.error()));
        auto found =
            co_await database_->execute(find_refund, std::move(sql::parameters().uuid(refund_id)));
        if (!found) co_return std::unexpected(errc_of(found.error()));
        confirmation out;
        out.confirmed_now = !done->empty();
        if (!found->empty()) out.what = read_refund(*found, 0);
        co_return out;
    }

private:
    const std::unique_ptr<sql::executor> database_;
};

}  // namespace

std::unique_ptr<owed_payments> make_postgres_owed_payments(postgres::pool& database) {
    return std::make_unique<sql_owed_payments>(sql::make_executor(database));
}

std::unique_ptr<owed_payments> make_sqlite_owed_payments(sqlite::queue& database,
                                                         asio::io_context& io) {
    return std::make_unique<sql_owed_payments>(sql::make_executor(database, io));
}

}  // namespace flashsale::order
