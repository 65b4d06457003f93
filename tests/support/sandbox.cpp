#include "sandbox.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>
#include <stdexcept>

#include "flashsale_process.hpp"
#include "migrated_databases.hpp"
#include "parallel.hpp"
#include "stack.hpp"

namespace flashsale::test {

namespace {

constexpr const char* redis_prefix = "FLASHSALE_REDIS__KEY_PREFIX";
constexpr const char* amqp_namespace = "FLASHSALE_AMQP__NAMESPACE";
constexpr const char* folder_variable = "FLASHSALE_SQLITE__FOLDER";
constexpr const char* url_variables[] = {"FLASHSALE_POSTGRES__USER_URL",
                                         "FLASHSALE_POSTGRES__STOCK_URL",
                                         "FLASHSALE_POSTGRES__ORDER_URL"};

std::string required(const char* variable) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') {
        throw std::runtime_error(std::string{variable} +
                                 " is not set: run script/test, or start the servers: script/stack "
                                 "up, then eval \"$(script/stack env)\"");
    }
    return value;
}

composition composition_of(const environment& extra) {
    const auto gate = extra.find("FLASHSALE_STOCK__GATE");
    const bool memory = gate != extra.end() && gate->second == "memory";
    return memory ? composition::embedded : composition::stack;
}

std::string make_name() {
    constexpr std::string_view characters = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::random_device random;
    std::uniform_int_distribution<std::size_t> pick{0, characters.size() - 1};
    std::string name = "t";
    for (int i = 0; i < 9; ++i)
        name += characters[pick(random)];
    return name;
}

const environment patience{{"FLASHSALE_ORDERS__CONFIRM_DEADLINE_MS", "8000"},
                           {"FLASHSALE_REDIS__CONNECT_TIMEOUT_MS", "30000"},
                           {"FLASHSALE_REDIS__REPLY_TIMEOUT_MS", "8000"},
                           {"FLASHSALE_AMQP__CONNECT_TIMEOUT_MS", "30000"},
                           {"FLASHSALE_AMQP__CONFIRM_TIMEOUT_MS", "15000"},
                           {"FLASHSALE_POSTGRES__CONNECT_TIMEOUT_MS", "30000"},
                           {"FLASHSALE_POSTGRES__STATEMENT_TIMEOUT_MS", "20000"},
                           {"FLASHSALE_PROCESS__START_TIMEOUT_MS", "60000"}};

// One call for however many keys; UNLINK frees them in the background.
constexpr const char* unlink_script =
    "local cursor = '0' repeat local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], "
    "'COUNT', 1000) cursor = found[1] for _, key in ipairs(found[2]) do redis.call('UNLINK', key) "
    "end until cursor == '0'";

}  // namespace

sandbox::sandbox(const environment& extra) : sandbox(composition_of(extra), extra) {}

sandbox::sandbox(composition kind, const environment& extra, deadlines wanted)
    : kind_{kind}, name_{make_name()}, variables_{extra} {
    if (wanted == deadlines::patient) variables_.insert(patience.begin(), patience.end());
    if (kind == composition::stack) {
        point_at_servers();
        for (const auto& [key, value] : extra)
            variables_[key] = value;
    } else if (const auto given = extra.find(folder_variable); given != extra.end()) {
        folder_ = given->second;
    } else {
        own_folder_.emplace();
        folder_ = own_folder_->path();
        variables_[folder_variable] = folder_.string();
    }
    if (kind_ == composition::stack) {
        make_databases();
    } else {
        migrate();
    }
}

std::string sandbox::own_url(const char* variable) const {
    const auto base = required(variable);
    return with_database(base, database_of(base) + "_" + name_);
}

void sandbox::point_at_servers() {
    for (const char* variable : url_variables)
        variables_[variable] = own_url(variable);
    required("FLASHSALE_REDIS__URL");
    required("FLASHSALE_AMQP__URL");
    variables_[redis_prefix] = name_;
    variables_[amqp_namespace] = name_;
}

void sandbox::make_databases() {
    // A URL that the test gives may be anything: of a pooler, or of a server that is not there.
    const bool given = std::ranges::any_of(url_variables, [&](const char* variable) {
        return variables_.at(variable) != own_url(variable);
    });
    if (given) return migrate();
    std::vector<std::string> urls;
    for (const char* variable : url_variables)
        urls.push_back(variables_.at(variable));
    make_migrated_databases(urls, "_" + name_);
}

void sandbox::migrate() {
    const auto migrated = flashsale({"migrate"});
    if (migrated.exit_code == 0) return;
    if (kind_ == composition::stack) remove_databases();
    throw std::runtime_error("flashsale migrate ended with exit code " +
                             std::to_string(migrated.exit_code) + ":\n" + migrated.output);
}

sandbox::~sandbox() {
    if (kind_ == composition::embedded) return;
    try {
        remove_databases();
        stack::redis_cli({"EVAL", unlink_script, "0", "*" + name_ + "*"});
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "sandbox %s: %s\n", name_.c_str(), fault.what());
    }
}

void sandbox::remove_databases() const {
    // All at once: each drop waits for a checkpoint, which would write what the next one drops.
    parallel(std::size(url_variables), [this](std::size_t i) {
        const auto& url = variables_.at(url_variables[i]);
        return run_sql(with_database(url, "postgres"),
                       "DROP DATABASE IF EXISTS \"" + database_of(url) + "\" WITH (FORCE)");
    });
}

std::string sandbox::url(database which) const {
    return variables_.at(url_variables[static_cast<int>(which)]);
}

std::string sandbox::config_file() const {
    return kind_ == composition::stack ? stack_config() : embedded_config();
}

sql_rows sandbox::sql(database which, const std::string& statement) const {
    if (kind_ == composition::stack) return run_sql(url(which), statement);
    constexpr const char* files[] = {"user.db", "stock.db", "order.db"};
    return run_sqlite(folder_ / files[static_cast<int>(which)], statement);
}

std::int64_t sandbox::number(database which, const std::string& statement) const {
    const auto rows = sql(which, statement);
    if (rows.size() != 1 || rows[0].size() != 1 || !rows[0][0]) {
        throw std::runtime_error("not one value: " + statement);
    }
    return std::stoll(*rows[0][0]);
}

finished sandbox::flashsale(const std::vector<std::string>& arguments,
                            std::chrono::milliseconds limit) const {
    auto command = arguments;
    command.insert(command.begin(), flashsale_binary());
    command.insert(command.end(), {"--config", config_file()});
    return run(command, variables_, limit);
}

finished sandbox::rebuild() const {
    while (true) {
        auto done = flashsale({"rebuild", "--shard", "0"});
        if (done.exit_code != 3 || !done.output.contains("overtaken by another")) return done;
    }
}

}  // namespace flashsale::test
