#pragma once

// The states of an order, and what may become of each. The order database alone knows an order's
// state (orders.order_status of its line 0), and each change is one compare-and-set there.
//
//                       ┌── product without payment window ──► SUCCESS ──cancel──► CANCELLED
//    a gate grants ─────┤
//                       └─► PENDING ──pay──► PAYING ──taken──► PAID ──refund──► REFUNDED
//                             │  ▲ │           │                ▲
//                             │  │ │           │                │
//                             │  └─┼─declined──┘                │
//                             │    └──money from outside────────┘
//                             ├─cancel──► CANCELLED
//                             └─time is up─► EXPIRED
//
// An order takes its units once, and what has ended gives them back once. Nothing comes after
// CANCELLED, EXPIRED and REFUNDED. PAYING lasts while the user database decides about the money;
// meanwhile the hold neither ends nor is cancelled, and it is shown as PENDING. Money from outside
// is here before it is told of, and needs no such state.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace flashsale::order {

enum class order_status : std::uint8_t {
    success,  ///< sold outright
    pending,  ///< held until it is paid for, or its time is up
    paying,
    paid,
    cancelled,
    expired,
    refunded,
};

struct status_change {
    order_status from;
    order_status to;
    friend constexpr bool operator==(status_change, status_change) = default;
};

inline constexpr std::array status_changes{
    status_change{order_status::success, order_status::cancelled},
    status_change{order_status::pending, order_status::cancelled},
    status_change{order_status::pending, order_status::expired},
    status_change{order_status::pending, order_status::paying},
    status_change{order_status::paying, order_status::paid},
    status_change{order_status::paying, order_status::pending},
    status_change{order_status::pending, order_status::paid},
    status_change{order_status::paid, order_status::refunded},
};

/// Its units go back.
constexpr bool has_ended(order_status what) {
    return what == order_status::cancelled || what == order_status::expired ||
           what == order_status::refunded;
}

/// As the database has it: `SUCCESS`.
std::string_view text_of(order_status what);
std::optional<order_status> order_status_of(std::string_view text);

/// As a client sees it.
inline std::string_view shown(order_status what) {
    return text_of(what == order_status::paying ? order_status::pending : what);
}

}  // namespace flashsale::order
