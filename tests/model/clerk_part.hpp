#pragma once

// The clerk of a process, and what it alone uses: the real one, over the simulated databases, with
// a gate and a reserver of its own.

#include <flashsale/order/clerk.hpp>

#include "life_ports.hpp"
#include "process.hpp"

namespace flashsale::model {

class clerk_part {
public:
    clerk_part(process& of, asio::io_context& io, events::log& log, stock::shard_epochs& epochs);

    void start();
    order::order_changes& changes() { return clerk_; }

private:
    redis::client client_;
    std::unique_ptr<stock::gate> gate_;
    std::unique_ptr<stock::reserver> reserver_;
    std::unique_ptr<order::life_store> orders_;
    std::unique_ptr<order::money_store> money_;
    std::unique_ptr<order::replacement_store> replacements_;
    std::unique_ptr<order::recording> record_;
    std::unique_ptr<user::charges> balances_;
    std::unique_ptr<user::credits> credits_;
    std::unique_ptr<stock::returns> units_;
    order::clerk clerk_;
};

}  // namespace flashsale::model
