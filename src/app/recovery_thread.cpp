#include "recovery_thread.hpp"

#include <flashsale/base/thread_name.hpp>

namespace flashsale::app {

using steady = std::chrono::steady_clock;

recovery_thread::recovery_thread(const config& settings, stock::shard_epochs& epochs,
                                 events::log& log, const std::string& deployment,
                                 fault_board& board)
    : interval_(ms_of(settings.recovery.reconcile_interval_ms)),
      connect_patience_(ms_of(settings.redis.connect_timeout_ms)),
      record_(settings, true),
      ports_(settings, epochs, log, deployment, record_, [this] { return stopping_.load(); }),
      keeper_(recovery::make_shard_keeper(ports_.all(), recovery_options(settings), board)) {}

void recovery_thread::start() {
    thread_ = std::jthread([this] {
        name_this_thread("reconciler");
        run();
    });
}

void recovery_thread::stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    ports_.wake();
    thread_.join();
}

void recovery_thread::hurry() {
    hurried_ = true;
    ports_.wake();
}

void recovery_thread::run() {
    ports_.start(connect_patience_);
    while (!stopping_) {
        keeper_->pass();
        rest();
    }
    keeper_->release();
    ports_.stop();
}

void recovery_thread::rest() {
    const auto until = steady::now() + interval_;
    while (!stopping_ && !hurried_.exchange(false) && steady::now() < until)
        ports_.run_until(until);
}

}  // namespace flashsale::app
