#pragma once

// One Redis server, as a gate sees it: hashes, the scripts, an identity, and every way to lose data
// that failure-prone deployments know. What is written is also noted, so that the server can be put
// back to where it was some scripts ago, as a restart without the last of its log does, or a
// failover to a replica that lagged.

#include <flashsale/redis.hpp>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lua_host.hpp"
#include "world.hpp"

namespace flashsale::model {

/// A client's connection. When it is cut, requests that are on their way may still arrive: a
/// prefix of them.
struct redis_connection {
    bool cut = false;
    int still_arriving = 0;
    micros last_arrival = 0;
    micros last_reply = 0;
    std::function<void()> noticed;  ///< the client's, when it learns that the connection is cut
};

class redis_server {
public:
    redis_server(world& in, lua_host& lua);

    // --- for scripts and clients ---
    std::expected<redis::value, std::string> execute(const std::vector<std::string_view>& words,
                                                     bool may_write);
    redis::result evaluate(std::string_view source, const std::vector<std::string>& keys,
                           const std::vector<std::string>& arguments);
    redis::result command(const std::vector<std::string>& words);

    bool up() const { return up_ && world_.now() >= paused_until_; }
    bool reachable() const { return up_; }
    micros paused_until() const { return paused_until_; }
    std::shared_ptr<redis_connection> connect();

    // --- faults ---
    void cut_connections(bool server_died);
    void stop();
    /// Comes back with the data but for the last `scripts_lost`, and with another run id.
    void restart(std::size_t scripts_lost);
    void restart_empty();
    void flush_all();
    /// A replica that had not yet received the last `scripts_lost` becomes the master; it may be a
    /// server that was the master before.
    void fail_over(std::size_t scripts_lost);
    /// The same process becomes a replica of another that lags, and master again.
    void demote_and_promote(std::size_t scripts_lost);
    void pause(micros time);

    // --- for the checks ---
    using hash = std::map<std::string, std::string, std::less<>>;
    const hash* find(std::string_view key) const;
    /// Ids of the orders in any epoch's outbox.
    std::vector<std::string> outbox_ids() const;
    bool outbox_empty() const;

private:
    struct undo {
        std::size_t script;
        std::string key, field;
        std::optional<std::string> before;
    };

    redis::value run(const std::vector<std::string_view>& words, bool may_write);
    template <class Map, class Take>
    redis::value scan(const Map& all, std::string_view cursor, const Take& take);
    void set(std::string_view key, std::string_view field, std::string_view value);
    bool remove(std::string_view key, std::string_view field);
    void roll_back(std::size_t scripts);
    void lose_all();
    /// Tells the checks which outbox entries are gone.
    void account(const std::vector<std::string>& before);
    std::string fresh_identity();

    world& world_;
    lua_host& lua_;
    std::map<std::string, hash, std::less<>> data_;
    std::vector<undo> written_;
    std::size_t script_ = 0;
    std::vector<std::string> scanned_to_;  // by a cursor's number
    std::string run_id_, replication_id_;
    std::vector<std::string> former_run_ids_;
    bool up_ = true;
    micros paused_until_ = 0;
    std::vector<std::shared_ptr<redis_connection>> connections_;
};

}  // namespace flashsale::model
