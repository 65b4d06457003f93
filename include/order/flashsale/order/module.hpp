#pragma once

// How the composition puts the order module together. No other module includes this.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "flashsale/base/async.hpp"
#include "flashsale/base/migration.hpp"
#include "flashsale/order.hpp"
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
class gate;
class ledger;
class reserver;
}  // namespace flashsale::stock
namespace flashsale::user {
class directory;
}

namespace flashsale::order {

std::span<const migration> postgres_migrations();
std::span<const migration> sqlite_migrations();

/// Registers /v1/orders… and /v1/users/{id}/orders; everything must outlive the router.
struct http_dependencies {
    asio::io_context& io;
    store& record;
    user::directory& users;
    stock::gate& units;
    stock::reserver& reserves;
};
void register_routes(http::router& routes, const http_dependencies& uses);

/// Writes accepted orders to the databases, on a thread of its own.
class recorder {
public:
    struct dependencies {
        events::reader& log;
        recording& database;    ///< the recorder's thread alone
        stock::ledger& ledger;  ///< likewise
        stock::gate& outbox;    ///< belongs to the thread that runs `io`
        asio::io_context& io;
    };

    explicit recorder(const dependencies& uses);
    ~recorder();

    void start();
    /// Records what has arrived, for at most `patience`, then ends the thread.
    void stop(std::chrono::milliseconds patience);
    /// nullopt: all is well; else what it is waiting for, for people. Any thread.
    std::optional<std::string> fault() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace flashsale::order
