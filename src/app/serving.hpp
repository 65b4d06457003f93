#pragma once

// What a process that serves runs, and what its workers stand on: on the three servers
// (stack_serving.cpp), or in this process and its data folder (embedded_serving.cpp).

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <vector>

#include <flashsale/base/fault_board.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/order/changes.hpp>
#include <flashsale/order/owed.hpp>
#include <flashsale/order/sale_record.hpp>
#include <flashsale/order/store.hpp>
#include <flashsale/stock/gate.hpp>
#include <flashsale/stock/sale_desks.hpp>
#include <flashsale/stock/sales.hpp>
#include <flashsale/stock/store.hpp>
#include <flashsale/stock/terms.hpp>
#include <flashsale/user/store.hpp>

#include "config.hpp"
#include "health.hpp"

namespace flashsale::app {

/// The databases, as a worker uses them.
struct worker_stores {
    std::unique_ptr<user::store> users;
    std::unique_ptr<stock::store> products;
    std::unique_ptr<stock::terms_store> terms;
    std::unique_ptr<stock::sale_store> sales;
    std::unique_ptr<order::store> orders;
    std::unique_ptr<order::owed_payments> owed;
    std::unique_ptr<order::sale_record> sale_orders;
    std::unique_ptr<stock::sale_desk> desk;
};

/// What one HTTP worker stands on: adapters on its io_context, for its thread alone.
class worker_adapters {
public:
    virtual ~worker_adapters() = default;

    virtual stock::gate& gate() = 0;
    virtual const worker_stores& stores() const = 0;

    /// Whether they answer, and why not.
    virtual std::vector<dependency_state> dependencies() = 0;
    /// Every connection stands, and each shard's gate has answered, whatever it said.
    virtual bool connected() = 0;
    virtual void start() = 0;
    virtual void stop() = 0;
};

class serving {
public:
    virtual ~serving() = default;

    virtual std::uint32_t shards() const = 0;
    virtual events::log& log() = 0;
    virtual order::order_changes& changes() = 0;
    /// For the worker whose io_context this is. All before start(); it outlives them.
    virtual std::unique_ptr<worker_adapters> for_worker(asio::io_context& io) = 0;

    /// What all workers share: the log, the recorder. Any thread.
    virtual std::vector<dependency_state> dependencies() const = 0;

    /// When it returns, orders can be taken. Throws unavailable_error if that is not so by `until`.
    virtual void start(deadline until) = 0;
    /// No request is in flight any more, and the workers still run: what was accepted is made
    /// durable and recorded, for as long as `left` says.
    virtual void drain(const std::function<std::chrono::milliseconds()>& left) = 0;
    /// The workers have ended.
    virtual void stop() = 0;
};

/// For readiness: the log, and what the parts of the process have put on the board.
inline std::vector<dependency_state> dependencies_of(const events::log& log,
                                                     const fault_board& board) {
    const bool up = log.state() == events::log_state::up;
    std::vector<dependency_state> out{
        {"log", up ? std::nullopt : std::optional(log.fault()), true}};
    for (const auto& [part, fault] : board.lines())
        out.push_back({part, fault ? std::optional(fault->what) : std::nullopt,
                       !fault || fault->hinders_orders});
    return out;
}

}  // namespace flashsale::app
