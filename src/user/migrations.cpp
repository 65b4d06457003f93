#include <flashsale/user/module.hpp>

#include "name_filling.hpp"

namespace flashsale::embedded {
extern const std::string_view user_0001;
extern const std::string_view user_0002;
extern const std::string_view user_0003;
extern const std::string_view user_sqlite_0001;
extern const std::string_view user_sqlite_0002;
extern const std::string_view user_sqlite_0003;
}  // namespace flashsale::embedded

namespace flashsale::user {

std::span<const migration> postgres_migrations() {
    static const postgres::migration_code names(&fill_compared_names);
    static const migration all[] = {{1, "0001_users", embedded::user_0001},
                                    {2, "0002_names", embedded::user_0002, &names},
                                    {3, "0003_balance", embedded::user_0003}};
    return all;
}

std::span<const migration> sqlite_migrations() {
    static const sqlite::migration_code names(&fill_compared_names);
    static const migration all[] = {{1, "0001_users", embedded::user_sqlite_0001},
                                    {2, "0002_names", embedded::user_sqlite_0002, &names},
                                    {3, "0003_balance", embedded::user_sqlite_0003}};
    return all;
}

}  // namespace flashsale::user
