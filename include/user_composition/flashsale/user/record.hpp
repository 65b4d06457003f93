#pragma once

// What the user database says of balances, for the audit. For the composition only.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/uuid.hpp"

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

/// A payment from a balance that was taken.
struct taken_charge {
    uuid payment_id;
    uuid order_id;
    std::int64_t user_id = 0;
    std::int64_t amount = 0;  ///< minor units
};

/// A refund that a balance has, as its entry says.
struct given_refund {
    std::string refund_id;
    std::optional<uuid> payment_id, order_id;
    std::int64_t user_id = 0;
    std::int64_t amount = 0;  ///< minor units
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

    /// All as of one instant.
    virtual std::expected<void, std::string> for_each_taken(
        const std::function<void(taken_charge)>& each) = 0;
    /// Those of these payments that were taken.
    virtual std::expected<std::vector<taken_charge>, std::string> taken(
        std::span<const uuid> payments) = 0;
    /// All as of one instant.
    virtual std::expected<void, std::string> for_each_given_back(
        const std::function<void(given_refund)>& each) = 0;
    /// Those of these refunds that balances have, by their ids.
    virtual std::expected<std::vector<given_refund>, std::string> given_back(
        std::span<const std::string> refunds) = 0;
    /// Decisions without their entry, entries without their decision, those that differ, and those
    /// with two entries. Read in pieces; what is decided meanwhile is no fault.
    virtual std::expected<std::vector<taken_charge>, std::string> without_entry() = 0;
    /// Users whose entries do not lead from one balance to the next, each as of one instant. Read
    /// in pages.
    virtual std::expected<std::vector<std::int64_t>, std::string> broken_books() = 0;
};

std::unique_ptr<record_reader> make_postgres_record_reader(postgres::session& user_database);
std::unique_ptr<record_reader> make_sqlite_record_reader(sqlite::database& user_database);

}  // namespace flashsale::user
