#pragma once

#include <flashsale/http.hpp>
#include <flashsale/user/store.hpp>

namespace flashsale::user {

/// Registers /v1/users/{id}/deposits and /v1/users/{id}/entries; everything must outlive the
/// router.
void register_balance_routes(http::router& routes, asio::io_context& io, store& record);

}  // namespace flashsale::user
