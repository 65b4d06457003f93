#pragma once

// The port to the module's record.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::postgres {
class pool;
}
namespace flashsale::sqlite {
class queue;
}

namespace flashsale::user {

/// Minor units; what a browser's numbers hold exactly.
inline constexpr std::int64_t balance_max = (std::int64_t{1} << 53) - 1;

struct user {
    std::int64_t id = 0;
    std::string username;
    std::int64_t balance = 0;  ///< minor units
    timestamp created_at;
};

/// What changed a user's balance. Ids ascend as the balance changes.
struct balance_entry {
    std::int64_t id = 0;
    std::int64_t user_id = 0;
    std::string kind;          ///< `starting`, `deposit`, `payment`, `refund`
    std::int64_t amount = 0;   ///< minor units, what the balance grew by
    std::int64_t balance = 0;  ///< right after it
    timestamp created_at;
    std::optional<uuid> order_id = {};    ///< of a payment alone
    std::optional<uuid> payment_id = {};  ///< likewise
};

struct id_range {
    std::int64_t first = 0;
    std::int64_t last = 0;  ///< included

    friend bool operator==(const id_range&, const id_range&) = default;
};

enum class store_errc {
    username_taken,  ///< by this name or another of its compared_form()
    idempotency_key_reused,
    user_not_found,
    balance_too_high,  ///< it would be more than balance_max
    overloaded,
    dependency_unavailable,
    outcome_unknown,
};

/// Used by one thread, that of the io_context it was made for; answers there.
class store {
public:
    virtual ~store() = default;

    struct created {
        user who;
        bool replayed = false;
    };
    /// Makes a user, and the entry that its balance starts with, unless that is 0; or, for a key
    /// that was used, finds the user as it was made.
    virtual awaitable<std::expected<created, store_errc>> create(std::string username,
                                                                 std::int64_t balance,
                                                                 std::string key) = 0;
    virtual awaitable<std::expected<std::optional<user>, store_errc>> find(std::int64_t id) = 0;
    /// The user of this name, which is valid UTF-8; or else one of its compared_form().
    virtual awaitable<std::expected<std::optional<user>, store_errc>> find_by_name(
        std::string username) = 0;

    struct deposited {
        balance_entry entry;
        bool replayed = false;
    };
    /// Adds `amount`, from 1 to balance_max, to a balance and notes it, in one transaction; or, for
    /// a key that was used for a deposit to this user, finds that one.
    virtual awaitable<std::expected<deposited, store_errc>> deposit(std::int64_t user_id,
                                                                    std::int64_t amount,
                                                                    std::string key) = 0;
    /// Newest first, those with an id below `before`.
    virtual awaitable<std::expected<std::vector<balance_entry>, store_errc>> entries(
        std::int64_t user_id, std::optional<std::int64_t> before, std::int64_t limit) = 0;

    /// The ids of all users in these ranges, which do not meet; `done` is never called from inside.
    virtual void find_existing(
        std::vector<id_range> where,
        callback<std::expected<std::vector<std::int64_t>, store_errc>> done) = 0;
};

std::unique_ptr<store> make_postgres_store(postgres::pool& database);
std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io);

}  // namespace flashsale::user
