#pragma once

// What the stores of the clerk share: a statement, and what its rows are.

#include <flashsale/order/life.hpp>
#include <flashsale/sql.hpp>

#include <memory>
#include <vector>

#include "record/ended_columns.hpp"
#include "record/payment_columns.hpp"

namespace flashsale::order {

class sql_reading {
public:
    explicit sql_reading(std::unique_ptr<sql::session> database) : database_(std::move(database)) {}

    template <class T>
    using result = std::expected<T, life_fault>;

    result<sql::rows> rows(const sql::statement& what, const sql::parameters& with) {
        auto found = database_->execute(what, with);
        if (!found) return fault_of(found.error());
        return std::move(*found);
    }
    result<void> run(const sql::statement& what, const sql::parameters& with) {
        const auto done = rows(what, with);
        if (!done) return std::unexpected(done.error());
        return {};
    }
    result<std::vector<ended_order>> ended(const sql::statement& what,
                                           const sql::parameters& with) {
        return read(what, with, ended_orders);
    }
    result<std::vector<payment>> payments(const sql::statement& what, const sql::parameters& with) {
        return read(what, with, read_payments);
    }
    result<std::vector<refund>> refunds(const sql::statement& what, const sql::parameters& with) {
        return read(what, with, read_refunds);
    }

private:
    template <class T>
    result<T> read(const sql::statement& what, const sql::parameters& with,
                   T (*of_rows)(const sql::rows&)) {
        const auto found = rows(what, with);
        if (!found) return std::unexpected(found.error());
        return of_rows(*found);
    }

    const std::unique_ptr<sql::session> database_;
};

inline sql::parameters up_to(std::size_t rows_max) {
    return std::move(sql::parameters().integer(static_cast<std::int64_t>(rows_max)));
}

}  // namespace flashsale::order
