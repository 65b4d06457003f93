#pragma once

// What the user database says of balances, for the audit. For the composition only.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flashsale::postgres {
class session;
}
namespace flashsale::sqlite {
class database;
}

namespace flashsale::user {

struct recorded_balance {
    std::int64_t user_id = 0;
    std::optional<std::int64_t> balance;  ///< minor units; nullopt: there are entries, and no user
    std::int64_t entries = 0;             ///< the sum of their amounts
};

/// Blocking; one thread. An error's text is for people.
class record_reader {
public:
    virtual ~record_reader() = default;

    struct page {
        std::vector<recorded_balance> rows;  ///< ascending by user
        std::optional<std::int64_t> next;    ///< `after` of the next page; nullopt: the last one
    };
    /// Of `users_max` users with ids above `after`, all as of one instant, and of entries between
    /// them that have no user.
    virtual std::expected<page, std::string> balances(std::int64_t after,
                                                      std::size_t users_max) = 0;
};

std::unique_ptr<record_reader> make_postgres_record_reader(postgres::session& user_database);
std::unique_ptr<record_reader> make_sqlite_record_reader(sqlite::database& user_database);

}  // namespace flashsale::user
