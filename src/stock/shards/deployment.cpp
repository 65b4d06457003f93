#include <flashsale/base/fault_points.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/sqlite.hpp>
#include <flashsale/stock/module.hpp>

#include <stdexcept>

namespace flashsale::embedded {
extern const std::string_view stock_0001;
extern const std::string_view stock_0002;
extern const std::string_view stock_0003;
extern const std::string_view stock_0004;
extern const std::string_view stock_0005;
extern const std::string_view stock_0006;
extern const std::string_view stock_0007;
extern const std::string_view stock_0008;
extern const std::string_view stock_0009;
extern const std::string_view stock_0010;
extern const std::string_view stock_sqlite_0001;
extern const std::string_view stock_sqlite_0002;
extern const std::string_view stock_sqlite_0003;
extern const std::string_view stock_sqlite_0004;
extern const std::string_view stock_sqlite_0005;
extern const std::string_view stock_sqlite_0006;
extern const std::string_view stock_sqlite_0007;
extern const std::string_view stock_sqlite_0008;
extern const std::string_view stock_sqlite_0009;
extern const std::string_view stock_sqlite_0010;
}  // namespace flashsale::embedded

namespace flashsale::stock {

namespace {

constexpr postgres::statement note_value{
    "note_value", "INSERT INTO deployment (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING"};
constexpr postgres::statement read_value{"read_value",
                                         "SELECT value FROM deployment WHERE name = $1"};

constexpr sqlite::statement count_epoch{
    "INSERT INTO shards (shard, epoch, state) VALUES (?1, 1, 'open')"
    " ON CONFLICT (shard) DO UPDATE SET epoch = epoch + 1, state = 'open'"
    " RETURNING epoch"};

/// Notes the value if there is none; the one that is there.
std::string agreed(postgres::session& database, const std::string& name, const std::string& mine) {
    auto noted = database.execute(note_value, postgres::parameters().text(name).text(mine));
    if (!noted) throw std::runtime_error("stock database: " + noted.error().message);
    auto read = database.execute(read_value, postgres::parameters().text(name));
    if (!read) throw std::runtime_error("stock database: " + read.error().message);
    return std::string(read->empty() ? "" : read->text(0, 0));
}

void agree_on(postgres::session& database, const std::string& name, const std::string& mine) {
    const std::string theirs = agreed(database, name, mine);
    if (theirs == mine) return;
    throw std::runtime_error("this deployment has " + name + " = " + theirs + ", this process " +
                             mine +
                             ": all processes must agree (it is noted in table deployment of the "
                             "stock database)");
}

}  // namespace

std::string agree_on_deployment(postgres::session& database, const deployment& mine) {
    agree_on(database, "stock.gate", mine.gate_kind);
    agree_on(database, "stock.currency", mine.currency);
    agree_on(database, "redis.shards", std::to_string(mine.shards));
    agree_on(database, "amqp.prefetch_messages", std::to_string(mine.prefetch_messages));
    agree_on(database, "orders.confirm_deadline_ms", std::to_string(mine.confirm_deadline.count()));
    if (!faults::without(faults::guard::identity)) {
        for (const auto& [setting, value] : mine.places)
            agree_on(database, setting, value);
    }
    return agreed(database, "identity", uuid_generator().make().to_string());
}

std::uint64_t count_new_epoch(sqlite::database& database, std::uint32_t shard) {
    std::uint64_t epoch = 0;
    using outcome = std::expected<void, sqlite::error>;
    const auto done =
        database.transaction(sqlite::access::write, [&](sqlite::database& in) -> outcome {
            auto row = in.prepare(count_epoch);
            const auto counted = row.integer(shard).step();
            if (!counted) return std::unexpected(counted.error());
            epoch = static_cast<std::uint64_t>(row.integer_at(0));
            return {};
        });
    if (!done) throw std::runtime_error("stock database: " + done.error().message);
    return epoch;
}

std::span<const migration> postgres_migrations() {
    static const migration all[] = {{1, "0001_stock", embedded::stock_0001},
                                    {2, "0002_recovery", embedded::stock_0002},
                                    {3, "0003_fence", embedded::stock_0003},
                                    {4, "0004_currency", embedded::stock_0004},
                                    {5, "0005_outbox", embedded::stock_0005},
                                    {6, "0006_lines", embedded::stock_0006},
                                    {7, "0007_returns", embedded::stock_0007},
                                    {8, "0008_epoch", embedded::stock_0008},
                                    {9, "0009_payment_window", embedded::stock_0009},
                                    {10, "0010_terms", embedded::stock_0010}};
    return all;
}

std::span<const migration> sqlite_migrations() {
    static const migration all[] = {{1, "0001_stock", embedded::stock_sqlite_0001},
                                    {2, "0002_recovery", embedded::stock_sqlite_0002},
                                    {3, "0003_fence", embedded::stock_sqlite_0003},
                                    {4, "0004_currency", embedded::stock_sqlite_0004},
                                    {5, "0005_outbox", embedded::stock_sqlite_0005},
                                    {6, "0006_lines", embedded::stock_sqlite_0006},
                                    {7, "0007_returns", embedded::stock_sqlite_0007},
                                    {8, "0008_epoch", embedded::stock_sqlite_0008},
                                    {9, "0009_payment_window", embedded::stock_sqlite_0009},
                                    {10, "0010_terms", embedded::stock_sqlite_0010}};
    return all;
}

}  // namespace flashsale::stock
