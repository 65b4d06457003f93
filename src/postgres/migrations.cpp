// Migrations. Each has a transaction of its own, which takes the advisory lock, looks again at what
// is applied, runs the SQL and notes its row: whichever process dies at whichever instant, a
// migration is there with its row or not at all. The lock belongs to the transaction, not to the
// session, so that a lost connection cannot leave us working without it. It is tried, not waited
// for: a wait would stand under lock_timeout, which here guards live traffic against DDL.

#include <cassert>
#include <flashsale/base/sha256.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/postgres/pooler.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "error.hpp"
#include "target_database.hpp"

namespace flashsale::postgres {

namespace {

constexpr std::chrono::minutes migration_timeout{10};
constexpr std::chrono::seconds transient_error_patience{30};
constexpr std::chrono::milliseconds retry_interval{100};

constexpr statement try_lock{"schema_lock", "SELECT pg_try_advisory_xact_lock($1)"};
constexpr std::int64_t lock_key = 0x666c617368;  // "flash"

constexpr std::string_view create_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " version integer PRIMARY KEY,"
    " name text NOT NULL,"
    " checksum text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now())";

constexpr statement find_table{"schema_table",
                               "SELECT to_regclass('schema_migrations') IS NOT NULL"};
constexpr statement find_applied{
    "schema_applied", "SELECT version, name, checksum FROM schema_migrations ORDER BY version"};
constexpr statement insert_applied{"schema_insert",
                                   "INSERT INTO schema_migrations (version, name, checksum)"
                                   " VALUES ($1::bigint::integer, $2, $3)"};

std::expected<applied_migrations, error> read_applied(session& s) {
    const auto table = s.execute(find_table);
    if (!table) return std::unexpected(table.error());
    applied_migrations applied;
    if (!table->boolean(0, 0)) return applied;
    const auto found = s.execute(find_applied);
    if (!found) return std::unexpected(found.error());
    for (std::size_t row = 0; row < found->size(); ++row) {
        applied[found->integer(row, 0)] = {std::string(found->text(row, 1)),
                                           std::string(found->text(row, 2))};
    }
    return applied;
}

enum class step { locked_elsewhere, applied, current };

/// Applies the first missing migration, if there is one and the lock is free.
std::expected<void, error> apply_next(session& s, std::span<const migration> all, step& outcome,
                                      std::string& name) {
    const auto locked = s.execute(try_lock, parameters().integer(lock_key));
    if (!locked) return std::unexpected(locked.error());
    if (!locked->boolean(0, 0)) {
        outcome = step::locked_elsewhere;
        return {};
    }
    const auto applied = read_applied(s);
    if (!applied) return std::unexpected(applied.error());
    const schema_report report = compare_schema(*applied, all);
    if (report.state == schema_state::current) {
        outcome = step::current;
        return {};
    }
    if (report.state != schema_state::behind) {
        return std::unexpected(make_error(error::kind::other, report.detail));
    }
    if (const auto created = s.execute(create_table); !created) {
        return std::unexpected(created.error());
    }
    const migration& next = *first_missing(*applied, all);
    name = next.name;
    if (auto run = s.script(next.sql); !run) return run;
    if (next.code != nullptr) {
        const auto& code = static_cast<const migration_code&>(*next.code);
        if (auto run = code.run(s); !run) return run;
    }
    const auto noted =
        s.execute(insert_applied,
                  parameters().integer(next.version).text(next.name).text(sha256_hex(next.sql)));
    if (!noted) return std::unexpected(noted.error());
    outcome = step::applied;
    return {};
}

}  // namespace

std::vector<std::string> migrate(const options& target, std::span<const migration> all) {
    assert_numbered(all);
    create_database_if_missing(target);
    if (const auto fit = check_pooler(target); !fit) throw std::runtime_error(fit.error().message);

    auto patient = target;
    patient.statement_timeout = migration_timeout;
    session s(patient);
    auto began = std::chrono::steady_clock::now();  // the next one of them
    std::vector<std::string> names;
    for (;;) {
        auto outcome = step::current;
        std::string name;
        const auto done =
            s.transaction([&](session& inside) { return apply_next(inside, all, outcome, name); });
        if (done && outcome == step::current) return names;
        if (done && outcome == step::applied) {
            names.push_back(name);
            began = std::chrono::steady_clock::now();
            continue;
        }
        const bool may_pass = done || done.error().what == error::kind::transient;
        const auto patience = done ? migration_timeout : transient_error_patience;
        if (!may_pass || std::chrono::steady_clock::now() - began > patience) {
            throw std::runtime_error(
                describe_target(target) + ": " + (name.empty() ? "" : "migration " + name + ": ") +
                (done ? "another process holds the migration lock" : done.error().message));
        }
        std::this_thread::sleep_for(retry_interval);
    }
}

schema_report check_schema(const options& target, std::span<const migration> all) {
    assert_numbered(all);
    session s(target);
    const auto applied = read_applied(s);
    const auto who = describe_target(target) + " ";
    if (!applied && database_is_missing(target)) {
        return {schema_state::behind, who + "does not exist"};
    }
    if (!applied) {
        return {schema_state::unreachable, who + "cannot be asked: " + applied.error().message};
    }
    const schema_report report = compare_schema(*applied, all);
    return {report.state, who + report.detail};
}

}  // namespace flashsale::postgres
