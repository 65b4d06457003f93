#include "lua_host.hpp"

#include <lua.hpp>

#include <stdexcept>

#include "redis_server.hpp"

namespace flashsale::model {

namespace {

// A Lua error jumps over C++ frames without destroying anything, so what a call needs lives here.
struct call_state {
    redis_server* server = nullptr;
    bool writes = true;
    std::vector<std::string_view> words;
    std::string error;
};
call_state calling;

void push(lua_State* lua, const redis::value& what) {
    switch (what.kind) {
        case redis::value::type::nil:
            lua_pushboolean(lua, 0);
            break;
        case redis::value::type::integer:
            lua_pushnumber(lua, static_cast<lua_Number>(what.integer));
            break;
        case redis::value::type::string:
            lua_pushlstring(lua, what.text.data(), what.text.size());
            break;
        case redis::value::type::array:
            lua_createtable(lua, static_cast<int>(what.elements.size()), 0);
            for (std::size_t i = 0; i < what.elements.size(); ++i) {
                push(lua, what.elements[i]);
                lua_rawseti(lua, -2, static_cast<int>(i) + 1);
            }
            break;
    }
}

/// False: the error is in `calling`.
bool call(lua_State* lua) {
    calling.words.clear();
    const int count = lua_gettop(lua);
    for (int i = 1; i <= count; ++i) {
        if (!lua_isstring(lua, i)) {
            calling.error = "Lua redis() command arguments must be strings or integers";
            return false;
        }
        std::size_t size = 0;
        const char* text = lua_tolstring(lua, i, &size);
        calling.words.emplace_back(text, size);
    }
    auto reply = calling.server->execute(calling.words, calling.writes);
    if (!reply) {
        calling.error = std::move(reply.error());
        return false;
    }
    push(lua, *reply);
    return true;
}

int redis_call(lua_State* lua) {
    if (call(lua)) return 1;
    lua_pushlstring(lua, calling.error.data(), calling.error.size());
    return lua_error(lua);
}

redis::value pop(lua_State* lua) {
    redis::value out;
    switch (lua_type(lua, -1)) {
        case LUA_TNUMBER:
            out.kind = redis::value::type::integer;
            out.integer = static_cast<std::int64_t>(lua_tonumber(lua, -1));
            break;
        case LUA_TSTRING: {
            out.kind = redis::value::type::string;
            std::size_t size = 0;
            const char* text = lua_tolstring(lua, -1, &size);
            out.text.assign(text, size);
            break;
        }
        case LUA_TBOOLEAN:
            if (lua_toboolean(lua, -1)) {
                out.kind = redis::value::type::integer;
                out.integer = 1;
            }
            break;
        case LUA_TTABLE:
            out.kind = redis::value::type::array;
            for (int i = 1;; ++i) {
                lua_rawgeti(lua, -1, i);
                if (lua_isnil(lua, -1)) break;
                out.elements.push_back(pop(lua));
            }
            lua_pop(lua, 1);
            break;
        default:
            break;
    }
    lua_pop(lua, 1);
    return out;
}

void set_global(lua_State* lua, const char* name, const std::vector<std::string>& values) {
    lua_createtable(lua, static_cast<int>(values.size()), 0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        lua_pushlstring(lua, values[i].data(), values[i].size());
        lua_rawseti(lua, -2, static_cast<int>(i) + 1);
    }
    lua_pushstring(lua, name);
    lua_insert(lua, -2);
    lua_rawset(lua, LUA_GLOBALSINDEX);
}

}  // namespace

lua_host::lua_host(guard without) : without_(without), lua_(luaL_newstate()) {
    luaL_openlibs(lua_);
    lua_createtable(lua_, 0, 1);
    lua_pushcfunction(lua_, redis_call);
    lua_setfield(lua_, -2, "call");
    lua_setglobal(lua_, "redis");
    const char* protect =
        "setmetatable(_G, {__newindex = function(_, name) error('global ' .. tostring(name)) end,"
        " __index = function(_, name) error('no global ' .. tostring(name)) end})";
    if (luaL_dostring(lua_, protect) != 0) throw std::runtime_error(lua_tostring(lua_, -1));
}

lua_host::~lua_host() {
    lua_close(lua_);
}

const lua_host::script& lua_host::compiled(std::string_view source) {
    std::string text(source);
    if (const auto known = scripts_.find(text); known != scripts_.end()) return known->second;
    std::string body = script_without(without_, text);
    bool writes = true;
    if (body.starts_with("#!")) {
        const auto end = body.find('\n');
        writes = body.substr(0, end).find("no-writes") == std::string::npos;
        body.erase(0, end);
    }
    if (luaL_loadbuffer(lua_, body.data(), body.size(), "@script") != 0) {
        throw std::runtime_error(lua_tostring(lua_, -1));
    }
    const script made{luaL_ref(lua_, LUA_REGISTRYINDEX), writes};
    return scripts_.emplace(std::move(text), made).first->second;
}

redis::result lua_host::run(redis_server& server, std::string_view source,
                            const std::vector<std::string>& keys,
                            const std::vector<std::string>& arguments) {
    const script& what = compiled(source);
    set_global(lua_, "KEYS", keys);
    set_global(lua_, "ARGV", arguments);
    calling.server = &server;
    calling.writes = what.writes;
    lua_rawgeti(lua_, LUA_REGISTRYINDEX, what.reference);
    if (lua_pcall(lua_, 0, 1, 0) != 0) {
        redis::error error{redis::error::kind::refused, "ERR "};
        error.message += lua_tostring(lua_, -1);
        lua_pop(lua_, 1);
        // A script of ours has no errors: this is a defect of the script or of the simulated
        // server.
        throw std::runtime_error(error.message);
    }
    return pop(lua_);
}

}  // namespace flashsale::model
