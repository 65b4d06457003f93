#pragma once

// What a deployment of 0.1 leaves, in tests/functional/left_by_0.1: the databases as pg_dump writes
// them, what Redis had as commands, the bodies of the messages in the queue, and what clients were
// told. A hidden test of upgrade_test.cpp has recorded it, with that version's executable.

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "publish.hpp"
#include "shop.hpp"
#include "sql.hpp"

namespace flashsale::test {

inline const std::filesystem::path left_by_0_1 =
    std::filesystem::path(stack_config()).parent_path() / "../tests/functional/left_by_0.1";
/// Instead of what differs between worlds.
inline constexpr std::string_view any_name = "WORLD", any_server = "SERVER";
inline constexpr std::pair<sandbox::database, const char*> left_databases[] = {
    {sandbox::database::user, "user.sql"},
    {sandbox::database::stock, "stock.sql"},
    {sandbox::database::order, "order.sql"}};

inline std::string replaced(std::string in, std::string_view what, std::string_view with) {
    for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + with.size()))
        in.replace(at, what.size(), with);
    return in;
}

inline std::string left_file(const std::string& name) {
    std::ifstream in(left_by_0_1 / name);
    REQUIRE(in);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

inline std::string redis_info(const std::string& name) {
    const std::string all = stack::redis_cli({"INFO"});
    const auto at = all.find(name + ":") + name.size() + 1;
    return all.substr(at, all.find_first_of("\r\n", at) - at);
}

/// As a gate's header names the server that it was loaded into.
inline std::string server_identity() {
    return redis_info("run_id") + redis_info("master_replid");
}

inline std::vector<std::string> strings(const json::value& in) {
    return json::value_to<std::vector<std::string>>(in);
}

/// Makes the world what the files say.
inline void leave(const sandbox& world) {
    const auto text = [&](const char* file) {
        return replaced(replaced(left_file(file), any_name, world.name()), any_server,
                        server_identity());
    };
    for (const auto& [which, file] : left_databases)
        world.sql(which, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + text(file));
    for (const json::value& command : json::parse(text("redis.json")).as_array())
        stack::redis_cli(strings(command));
    // What the server evicted before, from other gates, it had evicted when this one was begun.
    stack::redis_cli(
        {"HSET", "{" + world.name() + ":0}:gate", "evicted", redis_info("evicted_keys")});
    for (const std::string& body : strings(json::parse(text("queue.json"))))
        publish(world, body);
}

}  // namespace flashsale::test
