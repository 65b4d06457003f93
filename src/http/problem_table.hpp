#pragma once

#include <flashsale/http.hpp>
#include <span>

namespace flashsale::http {

struct problem_row {
    problem_code code;
    unsigned status;
    std::string_view name;
    std::string_view title;
    std::string_view detail;  ///< when the caller gives none
};

/// Every error a client can see, in the order of problem_code.
std::span<const problem_row> problem_table();

}  // namespace flashsale::http
