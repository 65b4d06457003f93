#pragma once

#include <flashsale/http/problem_type.hpp>
#include <flashsale/user/store.hpp>

namespace flashsale::user {

/// What the client of a route is told.
const http::problem_type& problem_of(store_errc code);

}  // namespace flashsale::user
