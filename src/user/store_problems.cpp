#include "store_problems.hpp"

#include <flashsale/http/problems.hpp>
#include <flashsale/user/problems.hpp>

namespace flashsale::user {

const http::problem_type& problem_of(store_errc code) {
    namespace to = http::problems;
    switch (code) {
        case store_errc::username_taken:
            return problems::username_taken;
        case store_errc::idempotency_key_reused:
            return to::idempotency_key_reused;
        case store_errc::user_not_found:
            return problems::user_not_found;
        case store_errc::balance_too_high:
            return problems::balance_too_high;
        case store_errc::overloaded:
            return to::overloaded;
        case store_errc::dependency_unavailable:
            return to::dependency_unavailable;
        case store_errc::outcome_unknown:
            return to::outcome_unknown;
    }
    return to::internal;
}

}  // namespace flashsale::user
