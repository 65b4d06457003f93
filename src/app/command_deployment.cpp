// What all processes of a deployment share is noted in the stock database by the first `serve`, and
// changed here, on purpose, while none runs.

#include <charconv>
#include <cstdio>

#include <flashsale/app.hpp>
#include <flashsale/stock/module.hpp>

#include "commands.hpp"

namespace flashsale::app {

namespace {

bool is_integer(std::string_view text, std::int64_t min, std::int64_t max) {
    std::int64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    return ec == std::errc{} && end == text.data() + text.size() && number >= min &&
           number <= max && std::to_string(number) == text;
}

/// As the configuration takes it, or no process could agree to it.
void require_value(const stock::noted_value& to) {
    const auto refuse = [&](const std::string& expected) {
        throw config_error("deployment set: " + to.name + ": expected " + expected + ", found " +
                           quoted_for_error(to.value));
    };
    if (to.name == "redis.shards") {
        constexpr std::int64_t shards_max = 1'024;
        if (!is_integer(to.value, 1, shards_max))
            refuse("an integer from 1 to " + std::to_string(shards_max));
        return;
    }
    if (to.name == "stock.gate") {
        if (to.value != "redis" && to.value != "database") refuse("\"redis\" or \"database\"");
        return;
    }
    for (const setting& one : settings()) {
        if (one.path != to.name) continue;
        const auto* integer = std::get_if<setting::integer>(&one.value);
        if (integer != nullptr && !is_integer(to.value, integer->min, integer->max))
            refuse("an integer from " + std::to_string(integer->min) + " to " +
                   std::to_string(integer->max));
        const auto* text = std::get_if<setting::text>(&one.value);
        if (text != nullptr && text->valid != nullptr && !text->valid(to.value))
            refuse(std::string(text->form));
    }
}

void show(postgres::session& stock_database) {
    for (const auto& one : stock::read_deployment(stock_database))
        std::printf("%s = %s\n", one.name.c_str(), one.value.c_str());
}

int set(postgres::session& stock_database, const stock::noted_value& to) {
    require_value(to);
    const auto before = stock::change_deployment(stock_database, to);
    if (!before) {
        std::fprintf(stderr, "flashsale: %s is not changed: %s\n", to.name.c_str(),
                     before.error().c_str());
        return exit_does_not_hold;
    }
    std::printf("%s = %s, and was %s: every process needs it in its configuration now\n",
                to.name.c_str(), to.value.c_str(), before->c_str());
    return exit_ok;
}

}  // namespace

int deployment(const site& at, const deployment_request& asked) {
    auto stock_database = at.deployment();
    if (asked.action == "set") return set(stock_database, {asked.name, asked.value});
    show(stock_database);
    return exit_ok;
}

}  // namespace flashsale::app
