#pragma once

// One HTTP worker: a thread, its io_context, and everything that lives on it.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

#include <flashsale/events/log.hpp>
#include <flashsale/http.hpp>
#include <flashsale/order/module.hpp>

#include "gate_access.hpp"
#include "health.hpp"

namespace flashsale::app {

class worker {
public:
    worker(const config& settings, stock::shard_generations& generations, events::log& log,
           const health& state);
    ~worker() { stop(); }

    http::worker for_server() { return {io_, routes_}; }
    asio::io_context& io() { return io_; }
    /// Whether the gate and the databases answer, and why not; the worker's thread.
    std::vector<dependency_state> dependencies();
    /// True once all of them do; any other thread, after start().
    bool connected();

    /// Connects and runs the thread.
    void start();
    /// Ends the thread; nothing of the worker runs after it returns.
    void stop();

private:
    asio::io_context io_{1};
    asio::executor_work_guard<executor> work_{io_.get_executor()};
    gate_access access_;
    postgres::pool user_database_;
    postgres::pool order_database_;
    std::unique_ptr<user::store> user_store_;
    std::unique_ptr<stock::store> stock_store_;
    std::unique_ptr<order::store> order_store_;
    std::unique_ptr<user::directory> users_;
    std::unique_ptr<stock::reserver> reserver_;
    http::router routes_;
    std::jthread thread_;
};

}  // namespace flashsale::app
