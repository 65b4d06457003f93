#pragma once

// How the harness reads the databases of a sale.

#include <flashsale/postgres.hpp>

#include <expected>
#include <string>

namespace flashsale::bench {

inline std::unexpected<std::string> sentence(const char* database, const postgres::error& fault) {
    return std::unexpected("cannot read the " + std::string{database} +
                           " database: " + fault.message);
}

inline postgres::options settings(const std::string& url) {
    postgres::options all;
    all.url = url;
    // It reads by product, for which orders have no index: after ten minutes of a soak, ten million
    // rows, by a server that yields to all others.
    all.statement_timeout = std::chrono::minutes{10};
    all.application_name = "flashsale-bench";
    return all;
}

}  // namespace flashsale::bench
