#pragma once

#include <flashsale/http.hpp>

namespace flashsale::http {

/// A request that is answered with a problem instead of being dispatched. Literals.
struct refusal {
    problem_code code = problem_code::bad_request;
    std::string_view detail = {};
    std::string_view field = {};
};

}  // namespace flashsale::http
