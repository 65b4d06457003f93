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

/// Registers /v1/orders… and /v1/users/{id}/orders; everything must outlive the router.
struct http_dependencies {
    asio::io_context& io;
    postgres::pool& database;
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
        postgres::session& database;  ///< the order database; the recorder's thread alone
        stock::ledger& ledger;        ///< likewise
        stock::gate& outbox;          ///< belongs to the thread that runs `io`
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

// --- for the audit ---

struct recorded_order {
    uuid id;
    std::int64_t user_id = 0;
    std::int64_t product_id = 0;
    std::int64_t quantity = 0;
    std::string idempotency_key;
    std::uint64_t generation = 0;
    std::uint64_t seq = 0;
};

struct parked_event {
    uuid id;
    std::string event;
    std::string reason;
};

/// Blocking; an error's text is for people.
std::expected<void, std::string> for_each_order(postgres::session& order_database,
                                                const std::function<void(recorded_order)>& each);
std::expected<void, std::string> for_each_parked(postgres::session& order_database,
                                                 const std::function<void(parked_event)>& each);

}  // namespace flashsale::order
