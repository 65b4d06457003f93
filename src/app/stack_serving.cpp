// Redis decides, RabbitMQ carries, PostgreSQL keeps the record. Several processes may stand on the
// same servers. Threads besides the workers': the publisher's, inside the log; the recorder's;
// `background`, whose io_context carries the recorder's connection to the gate; and the one that
// looks after the shards.

#include <spdlog/spdlog.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <thread>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/base/thread_name.hpp>
#include <flashsale/base/waiting.hpp>
#include <flashsale/order/clerk.hpp>
#include <flashsale/order/module.hpp>

#include "gate_access.hpp"
#include "probe.hpp"
#include "recovery_thread.hpp"
#include "sites.hpp"
#include "stack_start.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr postgres::statement read_only_transactions{
    "read_only_transactions", "SELECT current_setting('transaction_read_only')"};

/// A gate on a thread of its own.
class background {
public:
    background(const config& settings, stock::shard_epochs& epochs)
        : access(io, settings, epochs) {}
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

class stack_worker final : public worker_adapters {
public:
    stack_worker(asio::io_context& io, const config& settings, stock::shard_epochs& epochs)
        : access_(io, settings, epochs),
          user_database_(io, postgres_options(settings, settings.postgres.user_url),
                         pool_limits(settings)),
          order_database_(io, postgres_options(settings, settings.postgres.order_url),
                          pool_limits(settings)),
          stores_{.users = user::make_postgres_store(user_database_),
                  .products = stock::make_postgres_store(access_.stock_database(), epochs.shards()),
                  .terms = stock::make_postgres_terms(access_.stock_database(), epochs.shards()),
                  .sales = stock::make_postgres_sales(access_.stock_database(), epochs.shards()),
                  .orders = order::make_postgres_store(order_database_),
                  .owed = order::make_postgres_owed_payments(order_database_),
                  .sale_orders = order::make_postgres_sale_record(order_database_),
                  .desk = stock::make_postgres_sale_desk(access_.stock_database(), epochs.shards(),
                                                         access_.gate())} {}

    stock::gate& gate() override { return access_.gate(); }
    const worker_stores& stores() const override { return stores_; }

    std::vector<dependency_state> dependencies() override {
        const auto of_pool = [](std::string_view name, const postgres::pool& pool) {
            dependency_state out{std::string(name), std::nullopt, false};
            if (!pool.ready()) out.fault = pool.fault();
            return out;
        };
        const auto gate = access_.gate().check();
        return {
            {"gate", gate ? std::nullopt : std::optional(gate.error()), true},
            of_pool("user_database", user_database_),
            of_pool("stock_database", access_.stock_database()),
            of_pool("order_database", order_database_),
        };
    }

    bool connected() override {
        (void)access_.gate().check();  // asks those that have not answered yet
        return access_.answered() && user_database_.ready() && order_database_.ready();
    }

    void start() override {
        access_.start();
        user_database_.start();
        order_database_.start();
    }

    void stop() override {
        access_.stop();
        user_database_.stop();
        order_database_.stop();
    }

private:
    gate_access access_;
    postgres::pool user_database_;
    postgres::pool order_database_;
    worker_stores stores_;
};

/// The recorder and what it alone uses.
struct recording_part {
    recording_part(const config& settings, stock::shard_epochs& epochs, const events::log& log,
                   const std::string& deployment, fault_board& board)
        // A gate that was Redis before has left fences that a database gate's epochs have nothing
        // to do with.
        : record(settings, capabilities_of(settings).rebuilds_gates()),
          reader(events::make_amqp_reader(amqp_options(settings, deployment))),
          behind(settings, epochs),
          recorder({*reader, *record.ports.recording, *record.ports.ledger, behind.access.gate(),
                    behind.io, [&log] { return log.appended(); }, pacing_options(settings), &board,
                    epochs.shards(), ms_of(settings.recorder.step_aside_after_ms),
                    [this] { return able(); }, [&epochs] { return epochs.log_changes(); }}) {}

    /// Whether both databases take what is written.
    std::expected<void, std::string> able() {
        for (const auto& [name, database] : {std::pair{"order", &record.order_database},
                                             std::pair{"stock", &record.stock_database}}) {
            const auto read_only = database->execute(read_only_transactions);
            const std::string who = std::string(name) + " database: ";
            if (!read_only) return std::unexpected(who + read_only.error().message);
            if (read_only->text(0, 0) != "off") return std::unexpected(who + "it is read-only");
        }
        return {};
    }

    stack_record record;
    std::unique_ptr<events::reader> reader;
    background behind;
    order::recorder recorder;
};

/// The clerk and what it alone uses. It asks the gate on its own thread, and waits for the answers.
struct life_part {
    life_part(const config& settings, stock::shard_epochs& epochs, events::log& log,
              fault_board& board)
        : record(settings, capabilities_of(settings).rebuilds_gates()),
          access(io, settings, epochs),
          reserves(stock::make_reserver(io, access.gate(), log, epochs.shards(),
                                        reserver_options_of(settings))),
          clerk(
              {*record.ports.orders, *record.ports.money, *record.ports.replacements,
               *record.ports.recording, *record.ports.balances, *record.ports.credits,
               *record.ports.units, access.gate(), access.gate(), access.gate(), *reserves,
               wait_on(io), [this] { poll(); }, &board, record.ports.sales.get(), epochs.shards()},
              clerk_options_of(settings)) {}

    void start() {
        access.start();
        clerk.start();
    }
    void stop(std::chrono::milliseconds patience) {
        clerk.stop(patience);
        access.stop();
        poll();
    }

    void poll() {
        io.restart();
        io.poll();
    }

    stack_life record;
    asio::io_context io{1};
    asio::executor_work_guard<executor> work{io.get_executor()};
    gate_access access;
    std::unique_ptr<stock::reserver> reserves;
    order::clerk clerk;
};

class stack_serving final : public serving {
public:
    explicit stack_serving(const config& settings)
        : settings_(settings),
          epochs_(capabilities_of(settings).shards),
          presence_(postgres_options(settings, settings.postgres.stock_url)) {
        require_servers(settings, epochs_, presence_);
        const std::string deployment =
            stock::agree_on_deployment(presence_, deployment_of(settings));
        log_ = events::make_amqp_log(amqp_options(settings, deployment),
                                     [this](const uuid& token) { came_back(token); });
        require_log(settings, *log_);
        prepare_shards(settings, epochs_, deployment, *log_);
        if (settings.recorder.enabled) {
            recording_ =
                std::make_unique<recording_part>(settings, epochs_, *log_, deployment, board_);
        }
        recovery_ = std::make_unique<recovery_thread>(settings, epochs_, *log_, deployment, board_);
        life_ = std::make_unique<life_part>(settings, epochs_, *log_, board_);
    }

    std::uint32_t shards() const override { return epochs_.shards(); }
    events::log& log() override { return *log_; }
    order::order_changes& changes() override { return life_->clerk; }

    std::unique_ptr<worker_adapters> for_worker(asio::io_context& io) override {
        return std::make_unique<stack_worker>(io, settings_, epochs_);
    }

    std::vector<dependency_state> dependencies() const override {
        return dependencies_of(*log_, board_);
    }

    void start(deadline until) override {
        log_->start();
        while (log_->state() == events::log_state::down && steady::now() < until) {
            std::this_thread::sleep_for(10ms);
        }
        if (log_->state() == events::log_state::down) {
            const std::string why = log_->fault();
            log_->stop(0ms);
            throw unavailable_error(not_answering("RabbitMQ", "amqp.url", settings_.amqp.url, why));
        }
        recovery_->start();
        life_->start();
        if (!recording_) return;
        recording_->behind.start();
        recording_->recorder.start();
    }

    void drain(const std::function<std::chrono::milliseconds()>& left) override {
        life_->stop(left());
        recovery_->stop();
        log_->stop(left());
        if (recording_) recording_->recorder.stop(left());
    }

    void stop() override {
        if (recording_) recording_->behind.stop();
    }

private:
    /// The publisher's thread, which runs from start() to drain().
    void came_back(const uuid& token) {
        if (!faults::without(faults::guard::return_stops)) epochs_.shut_out(token.shard(), token);
        recovery_->hurry();
    }

    const config settings_;
    fault_board board_;
    stock::shard_epochs epochs_;
    /// Agreed by this one; open for as long as this process is one of the deployment: `deployment
    /// set` looks for it.
    postgres::session presence_;
    std::unique_ptr<events::log> log_;
    std::unique_ptr<recording_part> recording_;
    std::unique_ptr<recovery_thread> recovery_;
    std::unique_ptr<life_part> life_;
};

}  // namespace

std::unique_ptr<serving> stack_site::serve(std::size_t) const {
    return std::make_unique<stack_serving>(settings);
}

}  // namespace flashsale::app
