#pragma once

// Runs the gate's scripts as Redis does: Lua 5.1, `redis.call` over the simulated keyspace, KEYS
// and ARGV, no globals of their own, nothing rolled back.

#include <flashsale/redis.hpp>

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "guards.hpp"

struct lua_State;

namespace flashsale::model {

class redis_server;

class lua_host {
public:
    explicit lua_host(guard without);
    ~lua_host();
    lua_host(const lua_host&) = delete;
    lua_host& operator=(const lua_host&) = delete;

    redis::result run(redis_server& server, std::string_view source,
                      const std::vector<std::string>& keys,
                      const std::vector<std::string>& arguments);

private:
    struct script {
        int reference;
        bool writes;
    };
    const script& compiled(std::string_view source);

    const guard without_;
    lua_State* lua_;
    std::unordered_map<std::string, script> scripts_;  // by source
};

}  // namespace flashsale::model
