#include "world.hpp"

#include <algorithm>

#include "balances.hpp"
#include "broker.hpp"
#include "buyers.hpp"
#include "databases.hpp"
#include "life_promises.hpp"
#include "links.hpp"
#include "lives.hpp"
#include "lua_host.hpp"
#include "process.hpp"
#include "promises.hpp"
#include "redis/redis_scripts.hpp"
#include "redis_server.hpp"
#include "shop.hpp"

namespace flashsale::model {

namespace {

world* running = nullptr;

constexpr micros rest_watched = 1'500 * ms;
constexpr micros longest_run = 90 * second;
constexpr const char* header_key = "{flashsale:0}:gate";  // where all look at the end

/// Compiled scripts outlive a run; nothing else does.
lua_host& lua_for(guard without) {
    static std::unique_ptr<lua_host> host;
    static guard of = guard::none;
    if (!host || of != without) {
        host = std::make_unique<lua_host>(without);
        of = without;
    }
    return *host;
}

}  // namespace

world* world::current() {
    return running;
}

world::world(std::uint64_t seed, guard without, int plan, int life_percent, bool telling)
    : random(seed),
      with_life(prng(~seed).chance(life_percent)),
      plan_wanted(plan),
      without_(without),
      telling_(telling) {
    running = this;
    forget_links();
    promised = std::make_unique<promises>(*this);
    redis = std::make_unique<redis_server>(*this, lua_for(without));
    amqp = std::make_unique<broker>(*this, static_cast<std::uint16_t>(random.between(3, 6)));
    orders = std::make_unique<order_database>(*this);
    stock = std::make_unique<stock_database>(*this);
    users = std::make_unique<user_database>(*this);
    customers = std::make_unique<shop>(*this);
    payers = std::make_unique<buyers>(*this);
    lived = std::make_unique<life_promises>(*this);
    queue_.reserve(256);
    const int count = random.chance(70) ? 2 : 3;
    for (int i = 0; i < count; ++i)
        processes.push_back(std::make_unique<process>(*this, i));
}

world::~world() {
    queue_.clear();
    processes.clear();
    amqp.reset();
    redis.reset();
    running = nullptr;
}

void world::after(micros delay, std::move_only_function<void()> what) {
    queue_.push_back({now_ + std::max<micros>(delay, 0), ++last_event_, std::move(what)});
    std::push_heap(queue_.begin(), queue_.end());
}

micros world::transit() {
    const auto kind = random.below(100);
    if (kind < 80) return random.between(60, 600);
    if (kind < 95) return random.between(600, 5 * ms);
    return random.between(5 * ms, 60 * ms);
}

void world::tell_line(std::string_view who, const std::string& text) {
    history_.append(
        fmt::format("{:>11.6f}  {:<14}  {}\n", static_cast<double>(now_) / second, who, text));
}

void world::step() {
    std::pop_heap(queue_.begin(), queue_.end());
    event next = std::move(queue_.back());
    queue_.pop_back();
    now_ = next.when;
    next.what();
}

bool world::at_rest() const {
    if (!faults_over || !customers->everybody_answered() || !amqp->empty()) return false;
    if (!payers->everybody_answered() || !orders->life->at_rest()) return false;
    if (stock->state != "open") return false;
    const auto* header = redis->find(header_key);
    if (!header || header->at("state") != "open" || !orders->late.empty()) return false;
    if (header->at("epoch") != std::to_string(stock->epoch)) return false;
    // What an older gate has left may lie about until the next rebuild.
    if (redis->find("{flashsale:0}:" + header->at("epoch") + ":outbox")) return false;
    return std::ranges::all_of(processes,
                               [](const auto& one) { return one->alive() && !one->asleep(); });
}

std::string world::run() {
    const std::vector<std::string> keys{header_key};
    stock->epoch = 1;
    stock->state = "open";
    stock->token = uuid_generator().make();
    stock->tokens.emplace(stock->token, 1);
    const std::string token = stock->token.to_string();
    (void)amqp->bind(std::span(&token, 1));
    for (const char* step_of_opening : {"load", "flip"})
        (void)redis->evaluate(stock::scripts().open.source(), keys,
                              {step_of_opening, "1", deployment, token});
    for (const auto& one : processes)
        one->start();
    customers->open();
    plan_faults(*this);

    micros rest_since = -1;
    micros looked = 0;
    while (!queue_.empty() && now_ < longest_run) {
        step();
        if (promised->already_broken()) break;
        if (now_ - looked < 50 * ms) continue;
        looked = now_;
        lived->look();
        if (promised->already_broken()) break;
        if (!at_rest()) {
            rest_since = -1;
        } else if (rest_since < 0) {
            rest_since = now_;
        } else if (now_ - rest_since > rest_watched) {
            return promised->broken();
        }
    }
    std::string out = promised->broken();
    if (!promised->already_broken()) {
        out.append(fmt::format("P3: no rest {} s after the faults: {}{}{}{}{}{}{}\n", now_ / second,
                               customers->everybody_answered() ? "" : "somebody has no answer, ",
                               payers->everybody_answered() ? "" : "a buyer has no answer, ",
                               orders->life->at_rest() ? "" : "an order or its money is due, ",
                               amqp->empty() ? "" : "the queue is not empty, ",
                               redis->outbox_ids().empty() ? "" : "the outbox is not empty, ",
                               orders->late.empty() ? "" : "events wait to be asked again, ",
                               stock->state == "open" ? "" : "the gate is closed"));
    }
    return out;
}

}  // namespace flashsale::model
