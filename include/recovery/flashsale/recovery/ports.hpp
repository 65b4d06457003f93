#pragma once

// What recovery uses. It blocks, on a thread of its own, and knows neither servers nor the
// configuration: each port may suspend the thread that calls it, and the process may end there.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include <flashsale/base/fault_board.hpp>
#include <flashsale/base/time.hpp>
#include <flashsale/base/uuid.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/order/record.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/stock.hpp>
#include <flashsale/stock/gate.hpp>
#include <flashsale/stock/gate_loader.hpp>
#include <flashsale/stock/module.hpp>
#include <flashsale/stock/record.hpp>
#include <flashsale/stock/shard_registry.hpp>

namespace flashsale::recovery {

/// Time, and how its thread waits.
class timing {
public:
    virtual ~timing() = default;

    virtual deadline now() const = 0;
    virtual timestamp wall_clock() const = 0;
    /// Not for so long, and perhaps less: what waits looks at the clock again. Replies come
    /// meanwhile.
    virtual void pause(std::chrono::milliseconds most) = 0;
    /// Returns when `done` says so, which a reply sees to.
    virtual void wait(const std::function<bool()>& done) = 0;
    /// The process ends: what can be given up is.
    virtual bool stopping() const = 0;
};

class publisher {
public:
    virtual ~publisher() = default;

    /// Returns when what became of each is known, or `patience` is over. An error: not all of them
    /// are known to be in the log; some may be, or come to be. `token` is that of the gate that
    /// granted them, or of the one that is being opened.
    virtual std::expected<void, std::string> publish(std::vector<std::string> events,
                                                     const uuid& token,
                                                     std::chrono::milliseconds patience) = 0;
};

struct ports {
    stock::shard_registry& registry;
    stock::record_reader& products;
    stock::ledger& ledger;
    order::recovery_store& order_database;
    order::record_reader& orders;
    order::late_store& late;
    /// Of each shard; empty where the products table is the gate, which is never rebuilt.
    std::vector<stock::gate_admin*> gates;
    stock::gate& gate;
    stock::shard_epochs& epochs;
    events::log& log;
    recovery::publisher& publisher;
    recovery::timing& timing;
    /// A new one, for this shard.
    std::function<uuid(std::uint32_t shard)> make_id;
};

struct options {
    std::chrono::milliseconds lease{10'000};
    std::chrono::milliseconds confirm_deadline{2'000};   ///< that orders are answered by
    std::chrono::milliseconds barrier_patience{60'000};  ///< after that a barrier is overdue
    std::size_t reconcile_events_max = 10'000;           ///< noted in one pass
    std::size_t load_rows_max = 2'000;                   ///< in one piece of a rebuild
    bool rebuild_automatically = true;
};

}  // namespace flashsale::recovery
