// Each migration has a writing transaction of its own, which is the lock: inside it, what is
// applied is looked at again, the SQL is run and its row noted. Whichever process dies at whichever
// instant, a migration is there with its row or not at all.

#include <stdexcept>

#include <flashsale/base/sha256.hpp>
#include <flashsale/sqlite.hpp>

#include "error.hpp"

namespace flashsale::sqlite {

namespace {

constexpr std::chrono::minutes migration_timeout{10};

constexpr const char* create_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " version INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " checksum TEXT NOT NULL,"
    " applied_at INTEGER NOT NULL"  // microseconds since 1970
    ") STRICT";
constexpr statement find_table{
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'"};
constexpr statement find_applied{"SELECT version, name, checksum FROM schema_migrations"};
constexpr statement insert_applied{
    "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)"};

std::expected<applied_migrations, error> read_applied(database& in) {
    applied_migrations applied;
    {
        auto table = in.prepare(find_table);
        const auto found = table.step();
        if (!found) return std::unexpected(found.error());
        if (!*found) return applied;
    }
    auto rows = in.prepare(find_applied);
    while (true) {
        const auto row = rows.step();
        if (!row) return std::unexpected(row.error());
        if (!*row) return applied;
        applied[rows.integer_at(0)] = {std::string(rows.text_at(1)), std::string(rows.text_at(2))};
    }
}

/// Applies the first missing migration, if there is one.
std::expected<void, error> apply_next(database& in, std::span<const migration> all,
                                      std::string& name, bool& current) {
    const auto applied = read_applied(in);
    if (!applied) return std::unexpected(applied.error());
    const schema_report report = compare_schema(*applied, all);
    current = report.state == schema_state::current;
    if (current) return {};
    if (report.state != schema_state::behind) {
        return std::unexpected(make_error(error::kind::other, report.detail));
    }
    const migration& next = *first_missing(*applied, all);
    name = next.name;
    if (auto made = in.script(create_table); !made) return made;
    if (auto run = in.script(std::string(next.sql)); !run) return run;
    if (next.code != nullptr) {
        const auto& code = static_cast<const migration_code&>(*next.code);
        if (auto run = code.run(in); !run) return run;
    }
    auto noted = in.prepare(insert_applied);
    noted.integer(next.version).text(next.name).text(sha256_hex(next.sql));
    noted.time(wall_clock_now());
    if (auto done = noted.run(); !done) return std::unexpected(done.error());
    return {};
}

}  // namespace

std::vector<std::string> migrate(const options& target, std::span<const migration> all) {
    assert_numbered(all);
    options patient = target;
    patient.busy_timeout = migration_timeout;
    const auto refuse = [&](const std::string& name, const error& why) {
        throw std::runtime_error(target.file.string() + ": " +
                                 (name.empty() ? "" : "migration " + name + ": ") + why.message);
    };
    auto opened = database::open(patient);
    if (!opened) refuse("", opened.error());
    std::vector<std::string> names;
    while (true) {
        std::string name;
        bool current = false;
        const auto done = opened->transaction(
            access::write, [&](database& in) { return apply_next(in, all, name, current); });
        if (!done) refuse(name, done.error());
        if (current) return names;
        names.push_back(name);
    }
}

schema_report check_schema(const options& target, std::span<const migration> all) {
    assert_numbered(all);
    const std::string who = target.file.string() + " ";
    std::error_code ignored;
    if (!std::filesystem::exists(target.file, ignored)) {
        return {schema_state::behind, who + "does not exist"};
    }
    options existing = target;
    existing.create = false;
    auto opened = database::open(existing);
    if (!opened) {
        return {schema_state::unreachable, who + "cannot be read: " + opened.error().message};
    }
    const auto applied = read_applied(*opened);
    if (!applied) {
        return {schema_state::unreachable, who + "cannot be read: " + applied.error().message};
    }
    const schema_report report = compare_schema(*applied, all);
    return {report.state, who + report.detail};
}

}  // namespace flashsale::sqlite
