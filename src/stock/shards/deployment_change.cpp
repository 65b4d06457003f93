// What proves that no process stands by the old value: each that serves has sessions at the stock
// database for as long as it runs, from before it agrees on the deployment. One that is cut off
// from the database at this moment, and sells on, has none; so a lease that has not run out counts
// too, and each process that serves compares again when it starts. The table is locked meanwhile,
// so that no process agrees in between.

#include <flashsale/postgres.hpp>
#include <flashsale/stock/module.hpp>

#include <algorithm>
#include <stdexcept>

namespace flashsale::stock {

namespace {

constexpr postgres::statement read_values{"read_values",
                                          "SELECT name, value FROM deployment ORDER BY name"};
constexpr postgres::statement read_before{"read_before",
                                          "SELECT value FROM deployment WHERE name = $1"};
constexpr postgres::statement write_value{"write_value",
                                          "UPDATE deployment SET value = $2 WHERE name = $1"};
// Of other roles only what every role may see: their kind is not.
constexpr postgres::statement find_others{
    "find_others",
    "SELECT pid::bigint, coalesce(application_name, '') FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND coalesce(backend_type, 'client backend') = 'client backend' AND coalesce("
    "application_name, '') <> $1 ORDER BY pid LIMIT 1"};
constexpr postgres::statement find_table{"find_products_table",
                                         "SELECT to_regclass('products') IS NOT NULL"};
constexpr postgres::statement find_lease{
    "find_lease", "SELECT shard::bigint FROM shards WHERE lease_until > now() LIMIT 1"};
constexpr postgres::statement find_product{"find_product", "SELECT id FROM products LIMIT 1"};

bool places_units(const std::string& name) {
    return name == "stock.gate" || name == "redis.shards";
}

/// Where the gate is, as deployment::places names it. What it held is in the log, or in the record;
/// so the log's place is not left this way, or both could be, one after the other.
bool is_place(const std::string& name) {
    return name == "redis.key_prefix" || name == "databases of redis.url";
}

// The currency is what all amounts without one of their own have been in, so another value says
// that the old one was wrong.
bool can_change(const std::string& name) {
    return places_units(name) || is_place(name) || name == "stock.currency" ||
           name == "orders.confirm_deadline_ms" || name == "amqp.prefetch_messages";
}

postgres::rows must(postgres::result result) {
    if (!result) throw std::runtime_error("stock database: " + result.error().message);
    return std::move(*result);
}

std::optional<std::string> other_session(postgres::session& in, std::string_view but) {
    const auto other = must(in.execute(find_others, postgres::parameters().text(but)));
    if (other.empty()) return std::nullopt;
    return "a session is at the stock database (\"" + std::string(other.text(0, 1)) + "\", pid " +
           std::to_string(other.integer(0, 0)) + ")";
}

/// Why it may not be done now; "" if it may.
std::string hindrance(postgres::session& in, const std::string& name) {
    if (const auto other = other_session(in, "")) return *other + ": end all processes first";
    if (const auto lease = must(in.execute(find_lease)); !lease.empty())
        return "shard " + std::to_string(lease.integer(0, 0)) +
               " has a lease that has not run out: a process may still be there, or has died a "
               "moment ago; end all processes, and ask again after recovery.lease_ms";
    if (places_units(name) && !must(in.execute(find_product)).empty())
        return "there are products, and their units, buyers and keys are kept where the old value "
               "says";
    return {};
}

}  // namespace

std::optional<std::string> find_other_session(postgres::session& stock_database) {
    if (!must(stock_database.execute(find_table)).boolean(0, 0)) return std::nullopt;
    return other_session(stock_database, migrating_session);
}

std::vector<noted_value> read_deployment(postgres::session& stock_database) {
    const auto rows = must(stock_database.execute(read_values));
    std::vector<noted_value> out;
    for (std::size_t i = 0; i < rows.size(); ++i)
        out.push_back({std::string(rows.text(i, 0)), std::string(rows.text(i, 1))});
    return out;
}

void check_deployment(postgres::session& stock_database, const deployment& mine) {
    const noted_value values[] = {
        {"stock.gate", mine.gate_kind},
        {"stock.currency", mine.currency},
        {"redis.shards", std::to_string(mine.shards)},
        {"amqp.prefetch_messages", std::to_string(mine.prefetch_messages)},
        {"orders.confirm_deadline_ms", std::to_string(mine.confirm_deadline.count())},
    };
    const auto noted = read_deployment(stock_database);
    for (const noted_value& one : values) {
        const auto theirs = std::ranges::find(noted, one.name, &noted_value::name);
        if (theirs == noted.end() || theirs->value == one.value) continue;
        throw std::runtime_error("this deployment has " + one.name + " = " + theirs->value +
                                 ", this process " + one.value +
                                 ": all processes must agree (`flashsale deployment` shows and "
                                 "changes what is noted in the stock database)");
    }
}

std::expected<std::string, std::string> change_deployment(postgres::session& stock_database,
                                                          const noted_value& to) {
    std::string before, refusal;
    const auto done = stock_database.transaction(
        [&](postgres::session& in) -> std::expected<void, postgres::error> {
            if (auto locked = in.execute("LOCK TABLE deployment IN ACCESS EXCLUSIVE MODE"); !locked)
                return std::unexpected(locked.error());
            const auto noted = must(in.execute(read_before, postgres::parameters().text(to.name)));
            if (noted.empty()) {
                refusal = "nothing is noted by this name; the first `flashsale serve` notes it";
            } else if (!can_change(to.name)) {
                refusal = "it belongs to the data, and cannot be changed";
            } else {
                before = noted.text(0, 0);
                refusal = hindrance(in, to.name);
            }
            if (!refusal.empty()) return {};
            must(in.execute(write_value, postgres::parameters().text(to.name).text(to.value)));
            return {};
        });
    if (!done) throw std::runtime_error("stock database: " + done.error().message);
    if (!refusal.empty()) return std::unexpected(refusal);
    return before;
}

}  // namespace flashsale::stock
