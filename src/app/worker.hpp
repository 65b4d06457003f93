#pragma once

// One HTTP worker: a thread, its io_context, and everything that lives on it.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

#include <flashsale/http.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/stock/module.hpp>
#include <flashsale/user/module.hpp>

#include "health.hpp"
#include "serving.hpp"

namespace flashsale::app {

class worker {
public:
    worker(const config& settings, serving& behind, const health& state);
    ~worker() { stop(); }

    http::worker for_server() { return {io_, routes_}; }
    asio::io_context& io() { return io_; }
    /// True once all that it stands on answers; any other thread, after start().
    bool connected();

    /// Connects and runs the thread.
    void start();
    /// Ends the thread; nothing of the worker runs after it returns.
    void stop();

private:
    asio::io_context io_{1};
    asio::executor_work_guard<executor> work_{io_.get_executor()};
    std::unique_ptr<worker_adapters> stands_on_;
    std::unique_ptr<user::directory> users_;
    std::unique_ptr<stock::reserver> reserver_;
    http::router routes_;
    std::jthread thread_;
};

}  // namespace flashsale::app
