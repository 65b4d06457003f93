#pragma once

// The errors that are about users.

#include <flashsale/http/problem_type.hpp>

namespace flashsale::user::problems {

inline constexpr http::problem_type user_not_found{404, "user_not_found", "No such user",
                                                   "No user has this id."};
inline constexpr http::problem_type username_taken{409, "username_taken", "The user name is taken",
                                                   "Another user has this name."};
inline constexpr http::problem_type balance_too_high{
    409, "balance_too_high", "The balance would be too high",
    "The balance would be more than 9007199254740991 minor units."};

/// For the router.
inline constexpr const http::problem_type* all[]{&user_not_found, &username_taken,
                                                 &balance_too_high};

}  // namespace flashsale::user::problems
