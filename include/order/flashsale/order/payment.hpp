#pragma once

// Money for orders: payments, and refunds of them. Both are records of their own and never deleted.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "flashsale/base/currency.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::order {

enum class payment_method : std::uint8_t {
    balance,   ///< the buyer's, which the user database keeps
    external,  ///< money that the shop has taken itself, known by a reference of its own
};

enum class payment_state : std::uint8_t {
    started,     ///< from a balance: being decided. From outside: announced, or here and being used
    succeeded,   ///< it has paid its order
    failed,      ///< declined; nothing was taken
    placing,     ///< from outside, too late for its order: it buys the same again, if it can
    refund_due,  ///< the money is here and belongs to the buyer: a refund says how much and why
    refunded,    ///< and it has gone back
};

struct payment {
    uuid id;
    uuid order_id;
    std::int64_t user_id = 0;
    payment_method method = payment_method::balance;
    std::int64_t amount = 0;  ///< minor units; beyond what a balance can hold: that, or more
    currency_code currency = {};
    payment_state state = payment_state::started;
    std::string idempotency_key = {};
    std::string reference = {};  ///< of money from outside: the shop's own, one payment each
    std::string reason = {};     ///< of a refund that is due: a problem's code
    std::optional<uuid> replaces =
        {};  ///< the order that it came too late for; order_id is another
    timestamp created_at = {};
    std::optional<timestamp> received_at = {};  ///< money from outside is here since
    std::optional<timestamp> decided_at = {};
};

enum class refund_state : std::uint8_t {
    pending,    ///< the money is still to go back
    succeeded,  ///< it has
};

/// The whole of a payment goes back, once.
struct refund {
    uuid id;
    uuid payment_id;
    uuid order_id;
    std::int64_t user_id = 0;
    payment_method method = payment_method::balance;
    std::int64_t amount = 0;
    currency_code currency = {};
    refund_state state = refund_state::pending;
    std::string reason = {};
    std::string reference = {};  ///< under which the money has gone back to the outside
    timestamp created_at = {};
    std::optional<timestamp> done_at = {};
};

/// As the database has it: `balance`.
std::string_view text_of(payment_method what);
std::string_view text_of(payment_state what);
std::string_view text_of(refund_state what);
std::optional<payment_method> payment_method_of(std::string_view text);
std::optional<payment_state> payment_state_of(std::string_view text);
std::optional<refund_state> refund_state_of(std::string_view text);

}  // namespace flashsale::order
