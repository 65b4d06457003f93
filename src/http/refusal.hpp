#pragma once

#include <flashsale/http.hpp>

namespace flashsale::http {

/// A request that is answered with a problem instead of being dispatched. Literals,
/// or views into the request.
struct refusal {
    const problem_type* type = &problems::bad_request;
    std::string_view detail = {};
    std::string_view field = {};
};

}  // namespace flashsale::http
