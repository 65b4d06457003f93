#pragma once

// How the composition puts the stock module together.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/migration.hpp"
#include "flashsale/base/waiting.hpp"
#include "flashsale/stock.hpp"
#include "flashsale/stock/gate.hpp"
#include "flashsale/stock/record.hpp"
#include "flashsale/stock/returns.hpp"
#include "flashsale/stock/sales.hpp"
#include "flashsale/stock/store.hpp"
#include "flashsale/stock/terms.hpp"

namespace flashsale::http {
class router;
}
namespace flashsale::redis {
class client;
}
namespace flashsale::postgres {
class pool;
class session;
}  // namespace flashsale::postgres
namespace flashsale::events {
class log;
}

namespace flashsale::stock {

std::span<const migration> postgres_migrations();
std::span<const migration> sqlite_migrations();

/// What a gate script answered last.
enum class gate_answer : std::uint8_t {
    none,  ///< nothing yet, since the start
    open,
    closed,  ///< or its header is missing, not whole, or another server's
    older,   ///< of an epoch before the newest that this process knows of
};

/// What this process knows of each shard's gate: the epoch that it believes in, what the gate
/// answered last, and whether the log takes the gate's events. Shared by all its gates; any thread.
class shard_epochs {
public:
    explicit shard_epochs(std::uint32_t shards) : shards_(shards) {}

    std::uint32_t shards() const { return static_cast<std::uint32_t>(shards_.size()); }
    std::uint64_t get(std::uint32_t shard) const { return shards_[shard].epoch.load(); }
    /// Never goes back.
    void raise(std::uint32_t shard, std::uint64_t epoch);

    /// For readiness alone, never for a decision.
    gate_answer answer(std::uint32_t shard) const {
        return shards_[shard].answer.load(std::memory_order_relaxed);
    }
    /// Returns the one before.
    gate_answer note(std::uint32_t shard, gate_answer what);

    /// Nothing of this token gets into the log, or will be answered for: the gate that has it is
    /// asked for nothing more, until a header shows another. Of a token that was there before the
    /// one seen last it says nothing.
    void shut_out(std::uint32_t shard, const uuid& token);
    /// A reply of the gate has shown it.
    void saw(std::uint32_t shard, const uuid& token);
    bool is_shut_out(std::uint32_t shard) const {
        return shards_[shard].is_shut_out.load(std::memory_order_relaxed);
    }

    /// The token that the stock database knows as the newest. Another one in the same epoch:
    /// the log has lost what it had, and its queue may be another one.
    void note_newest_token(std::uint32_t shard, std::uint64_t epoch, const uuid& token);
    /// The same, said by a part that waits long for what it published.
    void count_log_change() { log_changes_.fetch_add(1, std::memory_order_relaxed); }
    std::uint64_t log_changes() const { return log_changes_.load(std::memory_order_relaxed); }

private:
    struct state {
        std::atomic<std::uint64_t> epoch{0};
        std::atomic<gate_answer> answer{gate_answer::none};
        std::atomic<bool> is_shut_out{false};  // written under mutex
        std::mutex mutex;
        uuid seen, shut, newest;            // under mutex
        std::uint64_t epoch_of_newest = 0;  // likewise
    };
    std::vector<state> shards_;
    std::atomic<std::uint64_t> log_changes_{0};
};

struct redis_gate_options {
    std::string key_prefix = "flashsale";
    /// A second batch keeps Redis busy while this process answers the first; a small one would cost
    /// Redis more than it saves. A call costs Redis and the kernel as much as twenty reservations
    /// in it, and clients that were answered together come back within `gather_max`.
    gate_decisions::batching_limits batching{.reservations_max = 256,
                                             .batches_in_flight_max = 2,
                                             .beside_another_min = 32,
                                             .gather_max = std::chrono::microseconds(150),
                                             .gathered_enough = 64};
    std::size_t outbox_events_max = 1'000'000;  ///< per shard: the limit on the whole backlog
    std::string deployment;                     ///< as agree_on_deployment() returned it
    std::size_t load_rows_max = 2'000;          ///< in one piece of a rebuild
};

/// `shards[i]` is the client of shard i, on the gate's io_context. All must outlive the gate.
std::unique_ptr<gate> make_redis_gate(std::vector<redis::client*> shards, shard_epochs& epochs,
                                      const redis_gate_options& options);

struct database_gate_options {
    int tries_max = 3;
    std::size_t outbox_events_max = 1'000'000;
    /// Called between reading a product's version and the update that insists on it; for tests.
    std::function<void(std::int64_t product_id)> before_update;
};

/// Optimistic locking on products.version. One shard.
std::unique_ptr<gate> make_database_gate(postgres::pool& stock_database,
                                         const database_gate_options& options);

struct reserver_options {
    std::chrono::milliseconds confirm_deadline{2'000};
    std::size_t waiting_reservations_max = 16'384;
    /// Granted events go to the log once so many have gathered, or so many batches have come back
    /// from the gate since the first of them; at once if no batch is at the gate.
    std::size_t message_events_enough = 64;
    std::size_t message_batches_max = 4;
};

std::unique_ptr<reserver> make_reserver(asio::io_context& io, gate_decisions& decides,
                                        events::log& log, std::uint32_t shards,
                                        const reserver_options& options);

/// Under the database gate the movements are there already, and nothing is added twice. Without a
/// fence nothing is late: for a parked event, for which every gate since has kept units, and where
/// the gate is the database, which is never rebuilt.
std::unique_ptr<ledger> make_postgres_ledger(postgres::session& stock_database, bool fenced = true);
std::unique_ptr<ledger> make_sqlite_ledger(sqlite::database& stock_database);

std::unique_ptr<returns> make_postgres_returns(postgres::session& stock_database);
std::unique_ptr<returns> make_sqlite_returns(sqlite::database& stock_database);

/// Registers /v1/products…; everything must outlive the router.
struct http_dependencies {
    asio::io_context& io;
    store& record;
    terms_store& terms;
    sale_store& sales;
    gate_decisions& units;
    gate_view& view;
    reserver& reserves;
    currency_code currency;  ///< the deployment's
};
void register_routes(http::router& routes, const http_dependencies& uses);

// --- start-up; blocking, throws std::runtime_error with one line for people ---

/// Notes what all processes of a deployment must share, or refuses another value.
struct deployment {
    std::string gate_kind;
    std::uint32_t shards = 1;
    std::chrono::milliseconds confirm_deadline{0};
    std::int64_t prefetch_messages = 0;  ///< of the recorder: two values would reorder events
    /// Where things are, by setting: elsewhere there is another gate, or another log. Not the
    /// hosts, which may change.
    std::vector<std::pair<std::string, std::string>> places{};
    std::string currency{};  ///< of every price that has none of its own
};
/// Returns the deployment's identity, which the first one has made.
std::string agree_on_deployment(postgres::session& stock_database, const deployment& mine);

/// The same comparison with what is noted so far, and nothing is noted: for a caller that does not
/// know yet whether the rest of what it needs is there.
void check_deployment(postgres::session& stock_database, const deployment& mine);

struct noted_value {
    std::string name;  ///< `orders.confirm_deadline_ms`
    std::string value;
};
std::vector<noted_value> read_deployment(postgres::session& stock_database);

/// What brings the schemas up to date calls its sessions so; several may at once.
inline constexpr std::string_view migrating_session = "flashsale migrate";
/// Another's session at this database, but a migrating one: a process may be serving. Its name and
/// process id, for people; nullopt also if nothing can be served from this database yet. Throws
/// std::runtime_error.
std::optional<std::string> find_other_session(postgres::session& stock_database);

/// Writes another value over one that is noted, which is safe only where no process stands by the
/// old one: refused (the error says why) while any session but this one is at the stock database,
/// or a lease runs; and, for what decides where units are kept, once there is a product. The result
/// is the value before.
std::expected<std::string, std::string> change_deployment(postgres::session& stock_database,
                                                          const noted_value& to);

/// A server that may evict keys would sell units again that it forgot to have sold. Blocks,
/// by `wait`.
void require_noeviction(const waiting& wait, redis::client& client);

/// For a gate that does not outlive its process: notes that it is opened once more, and answers the
/// epoch of this opening, 1 for the first.
std::uint64_t count_new_epoch(sqlite::database& stock_database, std::uint32_t shard);

/// A gate is where ours should be, and is another deployment's.
struct another_deployment : std::runtime_error {
    explicit another_deployment(const std::string& header_key)
        : std::runtime_error("the gate " + header_key + " is another deployment's"),
          header(header_key) {}
    std::string header;
};

/// The log does not do as it is asked.
struct log_unavailable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Makes the log take events of a token; an error's text is for people.
using bind_token = std::function<std::expected<void, std::string>(const uuid& token)>;

/// Opens the gate of every shard that was never open; raises `epochs` to what the database
/// has; but those of `except` are left as they are. Blocks, by `wait`.
void open_new_shards(const waiting& wait, postgres::session& stock_database,
                     std::vector<redis::client*> shards, shard_epochs& epochs,
                     const redis_gate_options& options, const bind_token& bind,
                     std::span<const std::uint32_t> except = {});

}  // namespace flashsale::stock
