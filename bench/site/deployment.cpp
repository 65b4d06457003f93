#include "site/deployment.hpp"

#include <boost/asio/io_context.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/redis.hpp>
#include <numeric>
#include <stdexcept>

#include "record/postgres_record.hpp"
#include "site/shop.hpp"
#include "record/sqlite_record.hpp"

namespace flashsale::bench {

namespace {

constexpr const char* gate_variable = "FLASHSALE_STOCK__GATE";

constexpr postgres::statement insert_many{
    "bench_insert_users",
    "WITH made AS (INSERT INTO users (username) SELECT 'bench-' || n FROM "
    "generate_series(1, $1::bigint) AS n RETURNING id) SELECT min(id), max(id) FROM made"};

// UNLINK frees in the background.
constexpr std::string_view unlink_script =
    "local cursor = '0' repeat local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], "
    "'COUNT', 1000) cursor = found[1] for _, key in ipairs(found[2]) do redis.call('UNLINK', key) "
    "end until cursor == '0'";

postgres::options patient(const std::string& url) {
    postgres::options all;
    all.url = url;
    all.statement_timeout = std::chrono::seconds{120};
    all.application_name = "flashsale-bench";
    return all;
}

void drop_databases(const server_urls& all) {
    for (const auto& url : {all.user, all.stock, all.order}) {
        postgres::session database{patient(with_database(url, "postgres"))};
        const auto dropped =
            database.execute("DROP DATABASE IF EXISTS \"" + database_of(url) + "\" WITH (FORCE)");
        if (!dropped) std::fprintf(stderr, "%s\n", dropped.error().message.c_str());
    }
}

void unlink_keys(const std::string& url, const std::string& name) {
    asio::io_context io;
    redis::options settings;
    settings.url = url;
    settings.reply_timeout = std::chrono::seconds{30};
    redis::client client{io, settings};
    client.start();
    for (int i = 0; i < 200 && !client.ready(); ++i)
        io.run_for(std::chrono::milliseconds{10});
    const std::string pattern = "*" + name + "*";
    const std::string_view command[] = {"EVAL", unlink_script, "0", pattern};
    bool done = false;
    client.command(command, [&done](const redis::result&) { done = true; });
    while (!done)
        io.run_one();
    client.stop();
    io.restart();
    io.poll();
}

}  // namespace

deployment::deployment(const workplace& where, const variables& extra)
    : where_{where}, name_{"b" + make_run_name()}, mine_{where.servers} {
    const auto gate = extra.find(gate_variable);
    if (gate == extra.end() ? where.folder.has_value() : gate->second == "memory") {
        const auto beside = std::filesystem::absolute(where.folder.value_or("flashsale-data"));
        folder_ = beside.string() + "-" + name_;
        settings_ = {{gate_variable, "memory"}, {"FLASHSALE_SQLITE__FOLDER", folder_->string()}};
    } else {
        point_at_servers();
    }
    settings_["FLASHSALE_HTTP__PORT"] = "0";
    settings_["FLASHSALE_LOG__LEVEL"] = "warn";
    for (const auto& [key, value] : extra)
        settings_[key] = value;
    try {
        run_command({where_.flashsale, "migrate", "--config", where_.config}, settings_);
    } catch (...) {
        remove();
        throw;
    }
}

deployment::~deployment() {
    remove();
    if (!folder_) unlink_keys(mine_.redis, name_);
}

void deployment::point_at_servers() {
    for (auto* url : {&mine_.user, &mine_.stock, &mine_.order})
        *url = with_database(*url, database_of(*url) + "_" + name_);
    settings_ = {{"FLASHSALE_POSTGRES__USER_URL", mine_.user},
                 {"FLASHSALE_POSTGRES__STOCK_URL", mine_.stock},
                 {"FLASHSALE_POSTGRES__ORDER_URL", mine_.order},
                 {"FLASHSALE_REDIS__URL", mine_.redis},
                 {"FLASHSALE_REDIS__KEY_PREFIX", name_},
                 {"FLASHSALE_AMQP__URL", mine_.amqp},
                 {"FLASHSALE_AMQP__NAMESPACE", name_}};
}

void deployment::remove() {
    if (!folder_) return drop_databases(mine_);
    std::error_code ignored;
    std::filesystem::remove_all(*folder_, ignored);
}

std::unique_ptr<record_source> deployment::record() const {
    if (folder_) return std::make_unique<sqlite_record>(*folder_);
    return std::make_unique<postgres_record>(database_urls{mine_.stock, mine_.order});
}

std::vector<std::string> deployment::serve_command() const {
    auto command = where_.runner;
    for (const auto& word :
         {where_.flashsale, std::string{"serve"}, std::string{"--config"}, where_.config})
        command.push_back(word);
    return command;
}

std::optional<std::string> deployment::audit_fault() const {
    try {
        run_command({where_.flashsale, "audit", "--wait", "120", "--config", where_.config},
                    settings_, std::chrono::seconds{300});
        return std::nullopt;
    } catch (const std::runtime_error& fault) {
        return fault.what();
    }
}

void deployment::while_nothing_is_recorded(const std::function<void()>& body) const {
    folder_ ? hold_sqlite_orders(*folder_, body) : body();
}

std::vector<std::int64_t> deployment::insert_users(std::size_t count) const {
    if (folder_) return insert_sqlite_users(*folder_, count);
    postgres::session database{patient(mine_.user)};
    postgres::parameters with;
    with.integer(static_cast<std::int64_t>(count));
    const auto made = database.execute(insert_many, with);
    if (!made) throw std::runtime_error("cannot insert users: " + made.error().message);
    const auto first = made->integer(0, 0);
    if (made->integer(0, 1) - first + 1 != static_cast<std::int64_t>(count)) {
        throw std::runtime_error("cannot insert users: their ids do not follow one another");
    }
    std::vector<std::int64_t> ids(count);
    std::iota(ids.begin(), ids.end(), first);
    return ids;
}

}  // namespace flashsale::bench
