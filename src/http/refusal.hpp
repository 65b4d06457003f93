#pragma once

#include <flashsale/http.hpp>

namespace flashsale::http {

/// A request that is answered with a problem instead of being dispatched. Literals,
/// or views into the request.
struct refusal {
    problem_code code = problem_code::bad_request;
    std::string_view detail = {};
    std::string_view field = {};
};

}  // namespace flashsale::http
