#include <flashsale/postgres.hpp>
#include <flashsale/sqlite.hpp>
#include <flashsale/stock/module.hpp>

#include <stdexcept>

namespace flashsale::embedded {
extern const std::string_view stock_0001;
extern const std::string_view stock_0002;
extern const std::string_view stock_sqlite_0001;
extern const std::string_view stock_sqlite_0002;
}  // namespace flashsale::embedded

namespace flashsale::stock {

namespace {

constexpr postgres::statement note_value{
    "note_value", "INSERT INTO deployment (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING"};
constexpr postgres::statement read_value{"read_value",
                                         "SELECT value FROM deployment WHERE name = $1"};

constexpr sqlite::statement note_value_in_file{
    "INSERT INTO deployment (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING"};
constexpr sqlite::statement read_value_in_file{"SELECT value FROM deployment WHERE name = ?1"};
constexpr sqlite::statement count_generation{
    "INSERT INTO shards (shard, generation, state) VALUES (?1, 1, 'open')"
    " ON CONFLICT (shard) DO UPDATE SET generation = generation + 1, state = 'open'"
    " RETURNING generation"};

/// `agreed` notes a value unless there is one, and answers what is noted.
void agree(const deployment& mine,
           const std::function<std::string(const std::string&, const std::string&)>& agreed) {
    const std::pair<const char*, std::string> all[] = {
        {"stock.gate", mine.gate_kind},
        {"redis.shards", std::to_string(mine.shards)},
        {"amqp.prefetch_messages", std::to_string(mine.prefetch_messages)},
        {"orders.confirm_deadline_ms", std::to_string(mine.confirm_deadline.count())},
    };
    for (const auto& [name, value] : all) {
        const std::string theirs = agreed(name, value);
        if (theirs == value) continue;
        throw std::runtime_error("this deployment has " + std::string(name) + " = " + theirs +
                                 ", this process " + value +
                                 ": all processes must agree (it is noted in table deployment of "
                                 "the stock database)");
    }
}

void must(const std::expected<void, sqlite::error>& done) {
    if (!done) throw std::runtime_error("stock database: " + done.error().message);
}

}  // namespace

void agree_on_deployment(postgres::session& database, const deployment& mine) {
    agree(mine, [&](const std::string& name, const std::string& value) -> std::string {
        auto noted = database.execute(note_value, postgres::parameters().text(name).text(value));
        if (!noted) throw std::runtime_error("stock database: " + noted.error().message);
        auto read = database.execute(read_value, postgres::parameters().text(name));
        if (!read) throw std::runtime_error("stock database: " + read.error().message);
        return std::string(read->empty() ? "" : read->text(0, 0));
    });
}

void agree_on_deployment(sqlite::database& database, const deployment& mine) {
    agree(mine, [&](const std::string& name, const std::string& value) {
        std::string theirs;
        using outcome = std::expected<void, sqlite::error>;
        must(database.transaction(sqlite::access::write, [&](sqlite::database& in) -> outcome {
            const auto noted = in.prepare(note_value_in_file).text(name).text(value).run();
            if (!noted) return std::unexpected(noted.error());
            auto row = in.prepare(read_value_in_file);
            const auto found = row.text(name).step();
            if (!found) return std::unexpected(found.error());
            theirs = row.text_at(0);
            return {};
        }));
        return theirs;
    });
}

std::uint64_t count_new_generation(sqlite::database& database, std::uint32_t shard) {
    std::uint64_t generation = 0;
    using outcome = std::expected<void, sqlite::error>;
    must(database.transaction(sqlite::access::write, [&](sqlite::database& in) -> outcome {
        auto row = in.prepare(count_generation);
        const auto counted = row.integer(shard).step();
        if (!counted) return std::unexpected(counted.error());
        generation = static_cast<std::uint64_t>(row.integer_at(0));
        return {};
    }));
    return generation;
}

std::span<const migration> postgres_migrations() {
    static const migration all[] = {{1, "0001_stock", embedded::stock_0001},
                                    {2, "0002_recovery", embedded::stock_0002}};
    return all;
}

std::span<const migration> sqlite_migrations() {
    static const migration all[] = {{1, "0001_stock", embedded::stock_sqlite_0001},
                                    {2, "0002_recovery", embedded::stock_sqlite_0002}};
    return all;
}

}  // namespace flashsale::stock
