#pragma once

// What recovery uses, of the servers that a configuration names. One thread, which the calls block.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <flashsale/recovery/log_publisher.hpp>
#include <flashsale/recovery/ports.hpp>

#include "gate_access.hpp"
#include "record.hpp"

namespace flashsale::app {

inline recovery::options recovery_options(const config& from) {
    recovery::options out;
    out.lease = ms_of(from.recovery.lease_ms);
    out.confirm_deadline = ms_of(from.orders.confirm_deadline_ms);
    out.barrier_patience = ms_of(from.recovery.barrier_patience_ms);
    out.reconcile_events_max = size_of(from.recovery.reconcile_events_max);
    out.load_rows_max = size_of(from.recovery.load_rows_max);
    out.rebuild_automatically = from.recovery.rebuild_automatically;
    return out;
}

class recovery_ports final : recovery::timing {
public:
    /// `deployment`: as agree_on_deployment() returned it.
    recovery_ports(const config& settings, stock::shard_epochs& epochs, events::log& log,
                   const std::string& deployment, stack_record& record,
                   std::function<bool()> stopping);

    recovery::ports all();

    /// Connects, and waits for that: not for longer than a connection may take. Asked before, a
    /// gate would be one that does not answer, at each clean start.
    void start(std::chrono::milliseconds patience);
    void stop();
    /// Rests, and lets replies come.
    void run_until(deadline until);
    /// Ends a rest; any thread.
    void wake();

private:
    deadline now() const override { return std::chrono::steady_clock::now(); }
    timestamp wall_clock() const override { return wall_clock_now(); }
    void pause(std::chrono::milliseconds most) override;
    void wait(const std::function<bool()>& done) override;
    bool stopping() const override { return stopping_(); }

    const std::function<bool()> stopping_;
    stock::shard_epochs& epochs_;
    events::log& log_;
    uuid_generator ids_;
    asio::io_context io_{1};
    asio::executor_work_guard<executor> work_{io_.get_executor()};
    gate_access access_;
    stack_record& record_;
    std::vector<std::unique_ptr<stock::gate_admin>> gates_;
    recovery::log_publisher publisher_;
};

}  // namespace flashsale::app
