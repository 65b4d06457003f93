#pragma once

// What is set aside, alike in every order database.

#include <flashsale/order/recording.hpp>

namespace flashsale::order {

inline constexpr const char* key_is_taken = "another order has its idempotency key";

/// The same bytes get the same id, however often they come.
parking parking_of(const events::poison& what);
parking parking_of(const events::event& what, std::string reason);

/// Says so in the log and counts it, once it is in the database.
void report_parked(std::span<const parking> all);

}  // namespace flashsale::order
