#pragma once

#include <libpq-fe.h>

#include <flashsale/postgres.hpp>
#include <memory>

namespace flashsale::postgres {

struct result_clearer {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using result_ptr = std::unique_ptr<PGresult, result_clearer>;

struct rows::storage {
    result_ptr result;
};

}  // namespace flashsale::postgres
