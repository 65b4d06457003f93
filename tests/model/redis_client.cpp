// redis::client over the simulated server: a connection keeps the order of its requests and of its
// replies; what was sent and not answered when it ends may have been done, and may be done yet.

#include <flashsale/redis.hpp>

#include <deque>

#include "process.hpp"
#include "redis_server.hpp"

namespace flashsale::redis {

using model::process;
using model::redis_connection;
using model::second;
using model::world;

namespace {

constexpr model::micros reply_timeout = 700 * model::ms;

struct request {
    std::string script;  ///< empty: a command
    std::vector<std::string> keys, arguments;
};

}  // namespace

struct client::state : std::enable_shared_from_this<client::state> {
    explicit state(process& owner) : of(owner) {}

    /// A client, for what arrives: it may be gone by then.
    struct owner {
        int number;
        std::uint64_t life;
        std::weak_ptr<state> client;
    };

    void connect() {
        if (!of.in.redis->reachable()) return reconnect();
        link = of.in.redis->connect();
        const std::weak_ptr<redis_connection> weak = link;
        link->noticed = [in = &of.in, self = owned(), weak] {
            hand_over(*in, self, [weak](state& to) {
                if (const auto which = weak.lock()) to.lose(which);
            });
        };
    }

    void reconnect() {
        of.after(of.in.random.between(10 * model::ms, 150 * model::ms), [this] { connect(); });
    }

    void lose(const std::shared_ptr<redis_connection>& which) {
        if (link != which) return;
        if (!link->cut) {
            link->cut = true;
            link->still_arriving = static_cast<int>(of.in.random.between(0, 3));
        }
        link = nullptr;
        std::deque<callback<result>> all;
        all.swap(pending);
        for (auto& one : all)
            one(std::unexpected(error{error::kind::outcome_unknown, "the connection is gone"}));
        reconnect();
    }

    void send(request what, callback<result> done) {
        if (!link) {
            of.after(1, [done = std::move(done)]() mutable {
                done(std::unexpected(error{error::kind::unavailable, "not connected"}));
            });
            return;
        }
        pending.push_back(std::move(done));
        world& in = of.in;
        link->last_arrival = std::max(link->last_arrival, in.now() + in.transit());
        in.after(link->last_arrival - in.now(),
                 [&in, on = link, self = owned(), what = std::move(what)]() mutable {
                     if (on->cut && on->still_arriving-- <= 0) return;
                     arrive(in, on, self, std::move(what));
                 });
        watch();
    }

    static void arrive(world& in, const std::shared_ptr<redis_connection>& on, const owner& self,
                       request what) {
        if (!in.redis->reachable()) return;
        if (!in.redis->up()) {  // stopped: the request waits in its socket
            in.after(in.redis->paused_until() - in.now(),
                     [&in, on, self, what = std::move(what)]() mutable {
                         arrive(in, on, self, std::move(what));
                     });
            return;
        }
        result reply = what.script.empty()
                           ? in.redis->command(what.arguments)
                           : in.redis->evaluate(what.script, what.keys, what.arguments);
        if (on->cut) return;
        on->last_reply = std::max(on->last_reply, in.now() + in.transit());
        in.after(on->last_reply - in.now(), [&in, on, self, reply = std::move(reply)]() mutable {
            hand_over(in, self, [on, reply = std::move(reply)](state& to) mutable {
                to.answer(on, std::move(reply));
            });
        });
    }

    /// In the process's own time, if it still lives.
    static void hand_over(world& in, const owner& self,
                          std::move_only_function<void(state&)> what) {
        process& to = *in.processes[static_cast<std::size_t>(self.number)];
        if (to.life() != self.life || !to.alive()) return;
        to.after(0, [client = self.client, what = std::move(what)]() mutable {
            if (const auto there = client.lock()) what(*there);
        });
    }

    owner owned() { return {of.number, of.life(), weak_from_this()}; }

    void answer(const std::shared_ptr<redis_connection>& on, result reply) {
        if (link != on) return;
        auto done = std::move(pending.front());
        pending.pop_front();
        ++answered_;
        done(std::move(reply));
    }

    void watch() {
        if (watching) return;
        watching = true;
        of.after(reply_timeout, [this, before = answered_, which = link] {
            watching = false;
            if (pending.empty()) return;
            if (link == which && answered_ == before) return lose(which);
            watch();
        });
    }

    process& of;
    std::shared_ptr<redis_connection> link;
    std::deque<callback<result>> pending;
    std::uint64_t answered_ = 0;
    bool watching = false;
};

client::client(asio::io_context&, options settings)
    : state_(std::make_shared<state>(
          *world::current()->processes[static_cast<std::size_t>(std::stoi(settings.url))])) {}
client::~client() = default;

void client::start() {
    state_->connect();
}
void client::stop() {}
bool client::ready() const {
    return state_->link && !state_->link->cut;
}
std::string client::fault() const {
    return ready() ? "" : "not connected";
}

void client::command(std::span<const std::string_view> arguments, callback<result> done) {
    state_->send({{}, {}, {arguments.begin(), arguments.end()}}, std::move(done));
}

void client::evaluate(const script& what, std::span<const std::string_view> keys,
                      std::span<const std::string_view> arguments, callback<result> done) {
    state_->send({std::string(what.source()),
                  {keys.begin(), keys.end()},
                  {arguments.begin(), arguments.end()}},
                 std::move(done));
}

}  // namespace flashsale::redis
