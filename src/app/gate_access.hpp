#pragma once

// A gate of the configured kind on one io_context, with the connections it needs. Each thread that
// asks the gate anything has one.

#include <boost/asio/io_context.hpp>

#include "compose.hpp"

namespace flashsale::app {

class gate_access {
public:
    gate_access(asio::io_context& io, const config& settings, stock::shard_epochs& epochs)
        : epochs_(epochs),
          stock_database_(io, postgres_options(settings, settings.postgres.stock_url),
                          pool_limits(settings)) {
        if (capabilities_of(settings).gate_is_database) {
            gate_ = stock::make_database_gate(stock_database_, database_gate_options(settings));
            return;
        }
        std::vector<redis::client*> shards;
        for (const std::string& url : settings.redis_urls()) {
            clients_.push_back(std::make_unique<redis::client>(io, redis_options(settings, url)));
            shards.push_back(clients_.back().get());
        }
        gate_ = stock::make_redis_gate(std::move(shards), epochs, redis_gate_options(settings));
    }

    void start() {
        stock_database_.start();
        for (const auto& client : clients_)
            client->start();
    }

    void stop() {
        for (const auto& client : clients_)
            client->stop();
        stock_database_.stop();
    }

    /// The connections stand, and every shard's gate has said something since the start.
    bool answered() const {
        if (!stock_database_.ready()) return false;
        for (std::uint32_t shard = 0; shard < clients_.size(); ++shard) {
            if (!clients_[shard]->ready()) return false;
            if (epochs_.answer(shard) == stock::gate_answer::none) return false;
        }
        return true;
    }

    stock::gate& gate() { return *gate_; }
    postgres::pool& stock_database() { return stock_database_; }
    std::vector<redis::client*> clients() const {
        std::vector<redis::client*> out;
        for (const auto& client : clients_)
            out.push_back(client.get());
        return out;
    }

private:
    const stock::shard_epochs& epochs_;
    postgres::pool stock_database_;
    std::vector<std::unique_ptr<redis::client>> clients_;
    std::unique_ptr<stock::gate> gate_;
};

}  // namespace flashsale::app
