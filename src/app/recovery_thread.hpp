#pragma once

// The thread that looks after the shards (include/recovery/flashsale/recovery/shard_keeper.hpp).

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <flashsale/base/fault_board.hpp>
#include <flashsale/recovery/shard_keeper.hpp>

#include "recovery_ports.hpp"

namespace flashsale::app {

class recovery_thread {
public:
    /// `deployment`: as agree_on_deployment() returned it.
    recovery_thread(const config& settings, stock::shard_epochs& epochs, events::log& log,
                    const std::string& deployment, fault_board& board);
    ~recovery_thread() { stop(); }

    void start();
    void stop();
    /// Something is the matter: look at once. Any thread.
    void hurry();

private:
    void run();
    void rest();

    const std::chrono::milliseconds interval_, connect_patience_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> hurried_{false};
    stack_record record_;
    recovery_ports ports_;
    std::unique_ptr<recovery::shard_keeper> keeper_;
    std::jthread thread_;
};

}  // namespace flashsale::app
