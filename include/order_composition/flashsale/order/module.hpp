#pragma once

// How the composition puts the order module together.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "flashsale/base/async.hpp"
#include "flashsale/base/fault_board.hpp"
#include "flashsale/base/migration.hpp"
#include "flashsale/order.hpp"
#include "flashsale/order/changes.hpp"
#include "flashsale/order/owed.hpp"
#include "flashsale/order/record.hpp"
#include "flashsale/order/recording.hpp"
#include "flashsale/order/store.hpp"

namespace flashsale::http {
class router;
}
namespace flashsale::postgres {
class pool;
class session;
}  // namespace flashsale::postgres
namespace flashsale::events {
class reader;
}
namespace flashsale::stock {
class gate_outbox;
class gate_view;
class ledger;
class outbox_backlog;
class reserver;
class sale_desk;
}  // namespace flashsale::stock
namespace flashsale::user {
class directory;
}

namespace flashsale::order {

class sale_record;

std::span<const migration> postgres_migrations();
std::span<const migration> sqlite_migrations();

/// Registers /v1/orders…, /v1/users/{id}/orders and /v1/products/{id}/orders; everything must
/// outlive the router.
struct http_dependencies {
    asio::io_context& io;
    store& record;
    owed_payments& owed;
    user::directory& users;
    stock::gate_outbox& outbox;
    stock::gate_view& units;
    stock::reserver& reserves;
    order_changes& changes;
    std::uint32_t shards = 1;
    currency_code currency;  ///< the deployment's
    stock::sale_desk& desk;
    sale_record& sales;
};
void register_routes(http::router& routes, const http_dependencies& uses);

/// While orders keep coming, the recorder rests after each batch, for `factor` times as long as it
/// took, at most `pause_max`: no request waits for the record, and many wait for the processor. It
/// keeps pace once what waits for it is `lag_max` old, or `backlog_max` events of a shard are, or
/// what the gate says of either has not been heard for a second. Whose clock is how wrong does not
/// matter.
struct pacing_options {
    double factor = 0;
    std::chrono::milliseconds lag_max{0};
    std::uint64_t backlog_max = 0;
    std::chrono::milliseconds pause_max{1'000};  ///< longest pause
};

/// Writes accepted orders to the databases, on a thread of its own.
class recorder {
public:
    struct dependencies {
        events::reader& log;
        recording& database;            ///< the recorder's thread alone
        stock::ledger& ledger;          ///< likewise
        stock::outbox_backlog& outbox;  ///< belongs to the thread that runs `io`
        asio::io_context& io;
        /// Orders that came to this process's log so far; empty: none has to be let past.
        std::function<std::uint64_t()> arrivals = {};
        pacing_options pacing = {};
        /// Where the line `recorder` says what it is waiting for.
        fault_board* board = nullptr;
        std::uint32_t shards = 1;
        /// Unable to record for so long, or that long for one batch: another process may have its
        /// turn. 0: there is none.
        std::chrono::milliseconds step_aside_after{0};
        /// Whether a batch would have a chance; on the recorder's thread. Empty: it always has.
        std::function<std::expected<void, std::string>()> able = {};
        /// How often the log's queue may have become another one: the broker tells no consumer if a
        /// queue is deleted and declared again at once. Empty: never.
        std::function<std::uint64_t()> log_changes = {};
    };

    explicit recorder(const dependencies& uses);
    ~recorder();

    void start();
    /// Records what has arrived, for at most `patience`, then ends the thread.
    void stop(std::chrono::milliseconds patience);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace flashsale::order
