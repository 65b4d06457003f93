#pragma once

// Balances and their entries in the user database: a part of the store.

#include <flashsale/sql.hpp>
#include <flashsale/user/store.hpp>

namespace flashsale::user {

class balance_book {
public:
    explicit balance_book(sql::executor& database) : database_(database) {}

    awaitable<std::expected<store::deposited, store_errc>> deposit(std::int64_t user_id,
                                                                   std::int64_t amount,
                                                                   std::string key);
    /// As the store has them; none, too, where there is no such user.
    awaitable<std::expected<std::vector<balance_entry>, store_errc>> entries(
        std::int64_t user_id, std::optional<std::int64_t> before, std::int64_t limit);

private:
    sql::executor& database_;
};

}  // namespace flashsale::user
