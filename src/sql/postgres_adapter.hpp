#pragma once

// To and from PostgreSQL's driver.

#include <flashsale/postgres.hpp>
#include <flashsale/sql.hpp>

namespace flashsale::sql {

postgres::statement of_postgres(const statement& what);
postgres::parameters of_postgres(const parameters& with);
result of_postgres(postgres::result done);

}  // namespace flashsale::sql
