#include "stack_start.hpp"

#include <spdlog/spdlog.h>

#include <thread>

#include <flashsale/recovery/record_check.hpp>

#include "gate_access.hpp"
#include "probe.hpp"
#include "record.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// The gate's connections on an io_context of their own, for as long as the start needs them.
class gate_servers {
public:
    gate_servers(const config& settings, stock::shard_epochs& epochs)
        : access_(io_, settings, epochs) {
        access_.start();
    }
    ~gate_servers() {
        access_.stop();
        io_.restart();
        io_.poll();
    }

    /// They must answer once at the start, or it is not told why nothing sells.
    void require(const config& settings) {
        const auto urls = settings.redis_urls();
        const auto clients = access_.clients();
        for (std::size_t i = 0; i < clients.size(); ++i) {
            // For each: the time that one takes is not the next one's to miss.
            const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
            while (!clients[i]->ready() && steady::now() < until) {
                io_.restart();
                io_.run_for(10ms);
            }
            if (!clients[i]->ready())
                throw unavailable_error(
                    not_answering("Redis", "redis.url", urls[i], clients[i]->fault()));
            stock::require_noeviction(wait_on(io_), *clients[i]);
        }
    }

    asio::io_context& io() { return io_; }
    std::vector<redis::client*> clients() const { return access_.clients(); }

private:
    asio::io_context io_;
    gate_access access_;
};

/// Before any order can come: a gate whose record is behind it is held, and one that the stock
/// database has never heard of is asked for nothing, and left as it is.
std::vector<std::uint32_t> unknown_to_record(const config& settings, gate_servers& servers,
                                             stock::shard_epochs& epochs, stack_record& record,
                                             const stock::redis_gate_options& options) {
    const auto clients = servers.clients();
    std::vector<std::uint32_t> unknown;
    for (std::uint32_t shard = 0; shard < clients.size(); ++shard) {
        const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
        const auto gate =
            stock::make_redis_gate_admin(wait_on(servers.io()), *clients[shard], shard, options);
        const recovery::record_check check{*gate,
                                           *record.registry,
                                           *record.ports.products,
                                           *record.recovery,
                                           shard,
                                           epochs.shards(),
                                           [] { return std::expected<void, std::string>{}; }};
        auto found = recovery::check_and_hold(check);
        while (!found && steady::now() < until) {
            std::this_thread::sleep_for(100ms);
            found = recovery::check_and_hold(check);
        }
        if (!found)
            throw unavailable_error(
                "whether the record of shard " + std::to_string(shard) +
                " has what its gate has granted cannot be told: " + found.error());
        if (found->what == recovery::record_verdict::kind::behind)
            spdlog::error("{}", recovery::behind_text(shard, found->why));
        if (found->what != recovery::record_verdict::kind::older) continue;
        spdlog::error("{}", found->why);
        epochs.shut_out(shard, found->header->token);
        unknown.push_back(shard);
    }
    return unknown;
}

}  // namespace

void prepare_shards(const config& settings, stock::shard_epochs& epochs,
                    const std::string& deployment, events::log& log) {
    if (!capabilities_of(settings).rebuilds_gates()) return;
    gate_servers servers(settings, epochs);
    servers.require(settings);
    stack_record record(settings, true);
    record.must_connect(settings);
    const auto options = redis_gate_options(settings, deployment);
    const auto unknown = unknown_to_record(settings, servers, epochs, record, options);
    try {
        stock::open_new_shards(
            wait_on(servers.io()), record.stock_database, servers.clients(), epochs, options,
            [&log](const uuid& token) { return log.bind(token); }, unknown);
    } catch (const stock::another_deployment& found) {
        throw config_error("redis.url " + without_password(settings.redis.url) + ": " +
                           found.what() + "; the stock database at " +
                           without_password(settings.postgres.stock_url) +
                           " is of one, the gate of another: correct the one that is not meant, or "
                           "redis.key_prefix");
    } catch (const stock::log_unavailable& fault) {
        throw unavailable_error(
            not_answering("RabbitMQ", "amqp.url", settings.amqp.url, fault.what()));
    }
}

void require_servers(const config& settings, stock::shard_epochs& epochs,
                     postgres::session& stock_database) {
    require_schemas(settings);
    stock::check_deployment(stock_database, deployment_of(settings));
    if (capabilities_of(settings).rebuilds_gates())
        gate_servers(settings, epochs).require(settings);
    const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
    while (true) {
        const auto reached = events::reach_amqp(amqp_options(settings, {}));
        if (reached) return;
        if (steady::now() >= until)
            throw unavailable_error(
                not_answering("RabbitMQ", "amqp.url", settings.amqp.url, reached.error()));
        std::this_thread::sleep_for(50ms);
    }
}

}  // namespace flashsale::app
