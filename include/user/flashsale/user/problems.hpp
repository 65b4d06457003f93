#pragma once

// The errors that are about users.

#include <flashsale/http/problem_type.hpp>

namespace flashsale::user::problems {

inline constexpr http::problem_type user_not_found{404, "user_not_found", "No such user",
                                                   "No user has this id."};
inline constexpr http::problem_type username_taken{409, "username_taken", "The user name is taken",
                                                   "Another user has this name."};

/// For the router.
inline constexpr const http::problem_type* all[]{&user_not_found, &username_taken};

}  // namespace flashsale::user::problems
