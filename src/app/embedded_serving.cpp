// Everything in this process and its data folder: the gate in memory, the log and the modules'
// databases in SQLite files.
//
// The log is the outbox that survives: what the gate granted counts once it is in there. The gate
// itself dies with the process, so a start has an order that must not be changed:
//
//   lock       the folder is one process's: two would each sell the same stock
//   migrate    each file to this version; one of a newer version is refused
//   drain      the recorder writes everything that the log has into the databases
//   load       the gate from the databases, which now know of every order that was accepted
//   open       under a new epoch; from here on it grants
//
// An event that did not reach the log before the process died was never accepted, and is in no
// database: the load gives its units back.
//
// Threads besides the workers': the log's writer, the recorder, and one for each database. With one
// worker the gate decides on the worker's own thread; with several it has a thread too.

#include <spdlog/spdlog.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <thread>

#include <flashsale/base/thread_name.hpp>
#include <flashsale/base/waiting.hpp>
#include <flashsale/events/sqlite.hpp>
#include <flashsale/order/clerk.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/sqlite.hpp>
#include <flashsale/stock/memory.hpp>
#include <flashsale/stock/module.hpp>
#include <flashsale/user/module.hpp>

#include "compose.hpp"
#include "data_folder.hpp"
#include "gate_socket.hpp"
#include "memory_record.hpp"
#include "probe.hpp"
#include "sites.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t only_shard = 0;
constexpr auto drain_report_interval = 2s;

struct databases {
    databases(const config& settings, const data_folder& in)
        : user(file_options(settings, in.user()), queue_limits(settings)),
          stock(file_options(settings, in.stock()), queue_limits(settings)),
          order(file_options(settings, in.order()), queue_limits(settings)) {}

    sqlite::queue user, stock, order;
};

class embedded_worker final : public worker_adapters {
public:
    embedded_worker(asio::io_context& io, databases& files, stock::memory_gate_owner& units)
        : files_(files),
          gate_(stock::make_memory_gate(units, io)),
          stores_{.users = user::make_sqlite_store(files.user, io),
                  .products = stock::make_sqlite_store(files.stock, io),
                  .terms = stock::make_sqlite_terms(files.stock, io),
                  .sales = stock::make_sqlite_sales(files.stock, io),
                  .orders = order::make_sqlite_store(files.order, io),
                  .owed = order::make_sqlite_owed_payments(files.order, io),
                  .sale_orders = order::make_sqlite_sale_record(files.order, io),
                  .desk = stock::make_sqlite_sale_desk(files.stock, io, *gate_)} {}

    stock::gate& gate() override { return *gate_; }
    const worker_stores& stores() const override { return stores_; }

    std::vector<dependency_state> dependencies() override {
        const auto of_file = [](std::string_view name, const sqlite::queue& file) {
            const auto state = file.check();
            return dependency_state{std::string(name),
                                    state ? std::nullopt : std::optional(state.error()), false};
        };
        return {
            {"gate", std::nullopt, true},
            of_file("user_database", files_.user),
            of_file("stock_database", files_.stock),
            of_file("order_database", files_.order),
        };
    }

    bool connected() override { return true; }
    void start() override {}  // the files are open already
    void stop() override {}

private:
    databases& files_;
    std::unique_ptr<stock::gate> gate_;
    worker_stores stores_;
};

/// The recorder and what it alone uses; its outbox is the gate's, on the thread that decides.
struct recording_part {
    recording_part(const config& settings, const data_folder& in, events::reader& reader,
                   stock::memory_gate_owner& units, asio::io_context& deciding, fault_board& board)
        : record(settings, in),
          outbox(stock::make_memory_gate(units, deciding)),
          recorder({reader,
                    *record.ports.recording,
                    *record.ports.ledger,
                    *outbox,
                    deciding,
                    {},
                    {},
                    &board}) {}

    embedded_record record;
    std::unique_ptr<stock::gate> outbox;
    order::recorder recorder;
};

/// The clerk and what it alone uses. It asks the gate from its own thread, and waits for the
/// answers.
struct life_part {
    life_part(const config& settings, const data_folder& in, stock::memory_gate_owner& units,
              events::log& log, fault_board& board)
        : record(settings, in),
          gate(stock::make_memory_gate(units, io)),
          reserves(stock::make_reserver(io, *gate, log, 1, reserver_options_of(settings))),
          clerk({*record.ports.orders, *record.ports.money, *record.ports.replacements,
                 *record.ports.recording, *record.ports.balances, *record.ports.credits,
                 *record.ports.units, *gate, *gate, *gate, *reserves, wait_on(io), [] {}, &board,
                 record.ports.sales.get()},
                clerk_options_of(settings)) {}

    embedded_life record;
    asio::io_context io{1};
    asio::executor_work_guard<executor> work{io.get_executor()};
    std::unique_ptr<stock::gate> gate;
    std::unique_ptr<stock::reserver> reserves;
    order::clerk clerk;
};

class embedded_serving final : public serving {
public:
    embedded_serving(const config& settings, std::size_t workers)
        : settings_(settings),
          folder_(settings.sqlite.folder),
          lock_(folder_.path),
          units_({.outbox_events_max = size_of(settings.stock.outbox_events_max)}) {
        migrate_files(settings_, folder_);
        say_if_open(folder_);
        files_ = std::make_unique<databases>(settings_, folder_);
        log_ = std::make_unique<events::sqlite_log>(log_options(folder_));
        life_ = std::make_unique<life_part>(settings_, folder_, units_, log_->writer(), board_);
        if (workers > 1) {
            own_.emplace(1);
            deciding_ = &*own_;
        }
    }

    ~embedded_serving() override { stop(); }

    std::uint32_t shards() const override { return 1; }
    events::log& log() override { return log_->writer(); }
    order::order_changes& changes() override { return life_->clerk; }

    std::unique_ptr<worker_adapters> for_worker(asio::io_context& io) override {
        if (!own_) deciding_ = &io;
        return std::make_unique<embedded_worker>(io, *files_, units_);
    }

    std::vector<dependency_state> dependencies() const override {
        return dependencies_of(log_->writer(), board_);
    }

    void start(deadline until) override {
        units_.run_on(*deciding_);
        recording_ = std::make_unique<recording_part>(settings_, folder_, log_->recorder_end(),
                                                      units_, *deciding_, board_);
        log_->writer().start();
        recording_->recorder.start();
        try {
            drain_log(until);
            load();
            socket_ = std::make_unique<gate_socket>(*deciding_, *recording_->outbox,
                                                    *recording_->outbox, folder_.path);
        } catch (const std::exception&) {
            leave_deciding_thread();
            throw;
        }
        socket_->start();
        for (sqlite::queue* one : {&files_->user, &files_->stock, &files_->order})
            one->start();
        if (own_) {
            own_work_.emplace(own_->get_executor());
            own_thread_ = std::jthread([this] {
                name_this_thread("gate");
                own_->run();
            });
        }
        life_->clerk.start();  // the gate is loaded, and knows of all that was taken and returned
    }

    void drain(const std::function<std::chrono::milliseconds()>& left) override {
        life_->clerk.stop(left());
        log_->writer().stop(left());
        recording_->recorder.stop(left());
        log_->forget_recorded();
    }

    void stop() override {
        if (files_) {
            for (sqlite::queue* one : {&files_->user, &files_->stock, &files_->order})
                one->stop();
        }
        if (own_) own_->stop();
        if (own_thread_.joinable()) own_thread_.join();
        leave_deciding_thread();
    }

private:
    void leave_deciding_thread() {
        socket_.reset();
        recording_.reset();
    }

    /// The recorder runs already. `until` counts from the last time that it got on.
    void drain_log(deadline until) {
        const auto patience = until - std::chrono::steady_clock::now();
        auto last_report = std::chrono::steady_clock::now();
        std::uint64_t left = log_->unrecorded();
        while (!log_->drained()) {
            std::this_thread::sleep_for(2ms);
            const auto now = std::chrono::steady_clock::now();
            if (const std::uint64_t still = log_->unrecorded(); still != left) {
                left = still;
                until = now + patience;
            }
            if (now >= until) {
                const auto fault = board_.of("recorder");
                throw unavailable_error("what was accepted before cannot be recorded: " +
                                        (fault ? fault->what : "it takes too long"));
            }
            if (now - last_report >= drain_report_interval) {
                last_report = now;
                spdlog::info("recording what was accepted before: {} commits left", left);
            }
        }
    }

    void load() {
        const auto begun = std::chrono::steady_clock::now();
        embedded_record record(settings_, folder_);
        const recovery::loaded_record loaded = must_load(
            *stock::make_memory_gate_loader(units_), record.ports, recovery::differing::refused);
        units_.open(stock::count_new_epoch(record.stock_database, only_shard));
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begun);
        spdlog::info(
            "embedded, data in {}: {} products, {} orders, {} reductions, {} parked, in {} ms",
            folder_.path.string(), loaded.products, loaded.orders, loaded.reductions, loaded.parked,
            took.count());
    }

    const config settings_;
    const data_folder folder_;
    fault_board board_;
    sqlite::folder_lock lock_;
    stock::memory_gate_owner units_;
    std::unique_ptr<databases> files_;
    std::unique_ptr<events::sqlite_log> log_;
    std::optional<asio::io_context> own_;  ///< with several workers
    std::optional<asio::executor_work_guard<executor>> own_work_;
    std::jthread own_thread_;
    asio::io_context* deciding_ = nullptr;
    // From start() to stop(): these have timers and sockets on the deciding io_context, which may
    // be a worker's.
    std::unique_ptr<recording_part> recording_;
    std::unique_ptr<gate_socket> socket_;  ///< for the audit
    std::unique_ptr<life_part> life_;
};

}  // namespace

std::unique_ptr<serving> embedded_site::serve(std::size_t workers) const {
    return std::make_unique<embedded_serving>(settings, workers);
}

}  // namespace flashsale::app
