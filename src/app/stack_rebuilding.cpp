#include <thread>

#include "probe.hpp"
#include "recovery_ports.hpp"
#include "sites.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// Ends with its scope, whatever happens.
struct running_log {
    running_log(const config& settings, const std::string& deployment)
        : log(events::make_amqp_log(amqp_options(settings, deployment))) {
        require_log(settings, *log);
        log->start();
        const auto until = steady::now() + ms_of(settings.process.start_timeout_ms);
        while (log->state() != events::log_state::up && steady::now() < until)
            std::this_thread::sleep_for(10ms);
        if (log->state() == events::log_state::up) return;
        const std::string why = log->fault();
        log->stop(0ms);
        throw unavailable_error(not_answering("RabbitMQ", "amqp.url", settings.amqp.url, why));
    }
    ~running_log() { log->stop(1s); }

    std::unique_ptr<events::log> log;
};

class stack_rebuilding final : public rebuilding {
public:
    explicit stack_rebuilding(const config& settings)
        : epochs_(capabilities_of(settings).shards),
          record_(settings, true),
          deployment_(agree(settings)),
          log_(settings, deployment_),
          ports_(settings, epochs_, *log_.log, deployment_, record_, [] { return false; }) {
        ports_.start(0ms);
    }
    ~stack_rebuilding() override { ports_.stop(); }

    recovery::ports ports() override { return ports_.all(); }

private:
    /// The confirm deadline that is waited for must be the one that orders are answered by.
    std::string agree(const config& settings) {
        record_.must_connect(settings);
        return stock::agree_on_deployment(record_.stock_database, deployment_of(settings));
    }

    stock::shard_epochs epochs_;
    stack_record record_;
    const std::string deployment_;
    running_log log_;
    recovery_ports ports_;
};

}  // namespace

std::unique_ptr<rebuilding> stack_site::rebuild(std::int64_t shard) const {
    if (!can.rebuilds_gates())
        throw config_error("rebuild: the database gate is its own record, and needs no rebuild");
    if (shard < 0 || shard >= can.shards)
        throw config_error("rebuild: --shard: expected 0 to " + std::to_string(can.shards - 1));
    require_schemas(settings);
    return std::make_unique<stack_rebuilding>(settings);
}

}  // namespace flashsale::app
