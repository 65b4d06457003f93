#pragma once

// A module's schema as numbered steps, whatever database it is kept in. How a step is applied, once
// and under a lock, is the driver's affair; whether a database is of this version is decided here.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace flashsale {

/// What SQL cannot say; of the driver's own kind, such as postgres::migration_code.
struct migration_code {};

struct migration {
    int version;            ///< 1, 2, 3, … without a gap
    std::string_view name;  ///< `0001_users`
    std::string_view sql;
    const migration_code* code = nullptr;  ///< run right after the SQL, in its transaction
};

enum class schema_state { current, behind, ahead, changed, unreachable };

struct schema_report {
    schema_state state = schema_state::unreachable;
    std::string detail;  ///< one line for people
};

/// A row of table schema_migrations, by its version.
struct applied_migration {
    std::string name;
    std::string checksum;  ///< sha256_hex() of its text
};
using applied_migrations = std::map<std::int64_t, applied_migration>;

/// What this binary knows against what a database has; `ahead` and `changed` come before `behind`.
schema_report compare_schema(const applied_migrations& applied, std::span<const migration> all);

/// The first that is not applied; nullptr: none.
const migration* first_missing(const applied_migrations& applied, std::span<const migration> all);

/// Ends the process if a number is missing: a bug of the module.
void assert_numbered(std::span<const migration> all);

}  // namespace flashsale
