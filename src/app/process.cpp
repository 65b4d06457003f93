// Threads: one for each worker; the publisher's, inside the log; the recorder's; and `background`,
// whose io_context carries the recorder's connection to the gate. Stopping goes against the flow of
// an order: first nobody new is let in, then what is inside is answered, published and recorded.

#include "process.hpp"

#include <sys/resource.h>

#include <spdlog/spdlog.h>

#include <flashsale/base/thread_name.hpp>
#include <flashsale/order/module.hpp>

#include "probe.hpp"
#include "worker.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Every connection is a descriptor; the default of 1,024 would be the first limit to be met.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

std::size_t worker_count(const config& settings) {
    if (settings.http.workers != 0) return size_of(settings.http.workers);
    return std::max(1u, std::thread::hardware_concurrency() - 1);
}

/// A gate on a thread of its own.
class background {
public:
    background(const config& settings, stock::shard_generations& generations)
        : access(io, settings, generations) {}
    ~background() { stop(); }

    void start() {
        asio::post(io, [this] { access.start(); });
        thread_ = std::jthread([this] {
            name_this_thread("background");
            io.run();
        });
    }

    void stop() {
        if (!thread_.joinable()) return;
        asio::post(io, [this] {
            access.stop();
            work_.reset();
            io.stop();
        });
        thread_.join();
    }

    asio::io_context io{1};
    gate_access access;

private:
    asio::executor_work_guard<executor> work_{io.get_executor()};
    std::jthread thread_;
};

/// The gate's servers must answer once at the start, or nobody is told why nothing sells.
void prepare_shards(const config& settings, stock::shard_generations& generations) {
    if (!uses_redis(settings)) return;
    asio::io_context io;
    gate_access access(io, settings, generations);
    access.start();
    const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
    const auto urls = settings.redis_urls();
    const auto clients = access.clients();
    for (std::size_t i = 0; i < clients.size(); ++i) {
        while (!clients[i]->ready() && steady::now() < until) {
            io.restart();
            io.run_for(10ms);
        }
        if (!clients[i]->ready()) {
            const std::string why = clients[i]->fault();
            access.stop();
            throw unavailable_error(not_answering("Redis", "redis.url", urls[i], why));
        }
    }
    auto database =
        open_session(settings, "stock", "postgres.stock_url", settings.postgres.stock_url);
    stock::open_new_shards(io, database, clients, generations, redis_gate_options(settings));
    access.stop();
    io.restart();
    io.poll();
}

}  // namespace

struct process::parts {
    explicit parts(const config& from)
        : settings(from),
          generations(shards_of(from)),
          log(events::make_amqp_log(amqp_options(from))) {}

    std::vector<dependency_state> shared_dependencies() const {
        std::vector<dependency_state> out;
        const bool up = log->state() == events::log_state::up;
        out.push_back({"log", up ? std::nullopt : std::optional(log->fault()), true});
        if (recorder) out.push_back({"recorder", recorder->fault(), false});
        return out;
    }

    config settings;
    bool started = false;
    health state;
    stock::shard_generations generations;
    std::unique_ptr<events::log> log;
    std::vector<std::unique_ptr<worker>> workers;

    std::unique_ptr<postgres::session> recorder_order_database;
    std::unique_ptr<postgres::session> recorder_stock_database;
    std::unique_ptr<stock::ledger> ledger;
    std::unique_ptr<order::recording> recording;
    std::unique_ptr<events::reader> reader;
    std::unique_ptr<background> behind;
    std::unique_ptr<order::recorder> recorder;

    std::unique_ptr<http::server> server;
};

process::process(const config& settings) : parts_(std::make_unique<parts>(settings)) {
    parts& all = *parts_;
    raise_descriptor_limit();
    require_schemas(settings);
    {
        auto database =
            open_session(settings, "stock", "postgres.stock_url", settings.postgres.stock_url);
        stock::agree_on_deployment(database, {settings.stock.gate, shards_of(settings),
                                              ms_of(settings.orders.confirm_deadline_ms),
                                              settings.amqp.prefetch_messages});
    }
    prepare_shards(settings, all.generations);

    all.state.shared = [&all] { return all.shared_dependencies(); };
    for (std::size_t i = 0; i < worker_count(settings); ++i) {
        all.workers.push_back(
            std::make_unique<worker>(settings, all.generations, *all.log, all.state));
    }
    if (settings.recorder.enabled) {
        all.recorder_order_database = std::make_unique<postgres::session>(
            postgres_options(settings, settings.postgres.order_url));
        all.recorder_stock_database = std::make_unique<postgres::session>(
            postgres_options(settings, settings.postgres.stock_url));
        all.ledger = stock::make_postgres_ledger(*all.recorder_stock_database);
        all.recording = order::make_postgres_recording(*all.recorder_order_database);
        all.reader = events::make_amqp_reader(amqp_options(settings));
        all.behind = std::make_unique<background>(settings, all.generations);
        all.recorder = std::make_unique<order::recorder>(
            order::recorder::dependencies{*all.reader, *all.recording, *all.ledger,
                                          all.behind->access.gate(), all.behind->io});
    }
    std::vector<http::worker> serving;
    for (const auto& one : all.workers)
        serving.push_back(one->for_server());
    try {
        all.server = std::make_unique<http::server>(settings.http.address,
                                                    static_cast<std::uint16_t>(settings.http.port),
                                                    http_limits(settings), std::move(serving));
    } catch (const boost::system::system_error& error) {
        throw config_error("http.address, http.port: cannot listen on " + settings.http.address +
                           ":" + std::to_string(settings.http.port) + ": " +
                           error.code().message());
    }
}

process::~process() {
    if (parts_->started) drain_and_stop();
}

std::uint16_t process::port() const {
    return parts_->server->port();
}

void process::start() {
    parts& all = *parts_;
    all.started = true;
    all.log->start();
    const auto until = steady::now() + ms_of(all.settings.process.start_timeout_ms);
    while (all.log->state() == events::log_state::down && steady::now() < until) {
        std::this_thread::sleep_for(10ms);
    }
    if (all.log->state() == events::log_state::down) {
        const std::string why = all.log->fault();
        all.log->stop(0ms);
        all.started = false;
        throw unavailable_error(not_answering("RabbitMQ", "amqp.url", all.settings.amqp.url, why));
    }
    if (all.behind) all.behind->start();
    if (all.recorder) all.recorder->start();
    for (const auto& one : all.workers)
        one->start();
    // Whoever is told that we listen may order at once. The servers answered a moment ago; if one
    // does not any more, readiness says so.
    for (const auto& one : all.workers) {
        while (!one->connected() && steady::now() < until)
            std::this_thread::sleep_for(5ms);
    }
    all.server->start();
}

void process::drain_and_stop() {
    parts& all = *parts_;
    all.started = false;
    const auto until = steady::now() + ms_of(all.settings.process.drain_timeout_ms);
    const auto left = [until] {
        return std::max(
            0ms, std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now()));
    };
    all.state.draining = true;
    all.server->stop();
    while (!all.server->drained() && left() > 0ms)
        std::this_thread::sleep_for(5ms);
    if (!all.server->drained()) spdlog::warn("requests are still in flight: their answers are cut");
    all.log->stop(left());
    if (all.recorder) all.recorder->stop(left());
    all.server->abort();
    for (const auto& one : all.workers)
        one->stop();
    if (all.behind) all.behind->stop();
}

}  // namespace flashsale::app
