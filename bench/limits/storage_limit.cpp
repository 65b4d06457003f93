#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <flashsale/postgres.hpp>

#include "limits/limits.hpp"

namespace flashsale::bench {

namespace {

constexpr std::size_t rows_per_statement = 1'024;

// The recorder's, on a table of its own.
constexpr postgres::statement insert_rows{
    "bench_insert_rows",
    "INSERT INTO bench_rows (id, user_id, product_id, quantity, unit_price, order_status, "
    "idempotency_key, epoch, seq, created_at) "
    "SELECT id, user_id, product_id, quantity, unit_price, 'SUCCESS', key, epoch, seq, "
    "created_at FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], "
    "$6::text[], $7::bigint[], $8::bigint[], $9::timestamptz[]) AS given(id, user_id, product_id, "
    "quantity, unit_price, key, epoch, seq, created_at) "
    "ON CONFLICT DO NOTHING RETURNING id"};

postgres::parameters make_rows(uuid_generator& ids, std::size_t statement) {
    std::vector<uuid> id;
    std::vector<std::int64_t> user, one, seq;
    std::vector<std::string> key;
    std::vector<timestamp> created;
    for (std::size_t i = 0; i < rows_per_statement; ++i) {
        const auto number = statement * rows_per_statement + i;
        id.push_back(ids.make());
        user.push_back(static_cast<std::int64_t>(number));
        seq.push_back(static_cast<std::int64_t>(number));
        one.push_back(1);
        key.push_back("limits-" + std::to_string(number));
        created.push_back(id.back().time());
    }
    postgres::parameters with;
    with.uuids(id).integers(user).integers(one).integers(one).integers(one).texts(key);
    with.integers(one).integers(seq).times(created);
    return with;
}

}  // namespace

std::vector<limit_row> measure_postgres(const workplace& where, const limit_sizes& sizes) {
    const deployment world{where};
    postgres::options settings;
    settings.url = world.servers().order;
    settings.statement_timeout = std::chrono::seconds{60};
    postgres::session database{settings};
    const auto must = [](const auto& result) {
        if (!result) throw std::runtime_error("postgresql: " + result.error().message);
    };
    must(database.execute("CREATE TABLE bench_rows (LIKE orders INCLUDING ALL)"));
    uuid_generator ids;
    std::vector<postgres::parameters> statements;
    for (std::size_t i = 0; i <= sizes.statements; ++i)
        statements.push_back(make_rows(ids, i));
    must(database.execute(insert_rows, statements.back()));  // prepares it
    statements.pop_back();

    processes who;
    add_stack_servers(who);
    histogram latency;
    const auto before = who.sample();
    const auto begin = clock::now();
    for (const auto& with : statements) {
        const auto sent = clock::now();
        must(database.execute(insert_rows, with));
        latency.record((clock::now() - sent).count());
    }
    const double seconds = std::chrono::duration<double>(clock::now() - begin).count();
    const auto cpu = cpu_between(who, before, who.sample());
    limit_row row{
        .part = "PostgreSQL, orders",
        .how = "1,024 rows per transaction, one connection",
        .per_second = static_cast<double>(sizes.statements * rows_per_statement) / seconds,
        .unit = "rows/s"};
    row.p50_ms = static_cast<double>(latency.at(0.5)) / 1e6;
    row.p99_ms = static_cast<double>(latency.at(0.99)) / 1e6;
    if (cpu_of(cpu, "postgres") > 0) row.server_busy = cpu_of(cpu, "postgres") / seconds;
    return {row};
}

limit_row measure_disk(const limit_sizes& sizes) {
    const char* folder = std::getenv("FLASHSALE_STACK_DIR");
    const std::string path = std::string{folder != nullptr ? folder : "."} + "/bench-fsync";
    const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0) throw std::runtime_error("cannot write " + path);
    const std::array<char, 4'096> block{};
    histogram latency;
    const auto begin = clock::now();
    for (std::size_t i = 0; i < sizes.syncs; ++i) {
        const auto written = clock::now();
        if (write(file, block.data(), block.size()) < 0 || fdatasync(file) != 0) break;
        latency.record((clock::now() - written).count());
    }
    const double seconds = std::chrono::duration<double>(clock::now() - begin).count();
    close(file);
    unlink(path.c_str());
    limit_row row{.part = "Disk",
                  .how = "4 KiB written and fdatasync, one at a time",
                  .per_second = static_cast<double>(latency.count()) / seconds,
                  .unit = "syncs/s"};
    row.p50_ms = static_cast<double>(latency.at(0.5)) / 1e6;
    row.p99_ms = static_cast<double>(latency.at(0.99)) / 1e6;
    return row;
}

}  // namespace flashsale::bench
