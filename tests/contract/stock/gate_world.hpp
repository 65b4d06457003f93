#pragma once

#include <boost/asio/io_context.hpp>

#include <flashsale/events/event.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/redis.hpp>
#include <flashsale/stock/memory.hpp>
#include <flashsale/stock/module.hpp>

#include <functional>
#include <memory>
#include <string>

#include "sandbox.hpp"

namespace flashsale::test {

enum class adapter { redis, database, memory };

/// The order that an event is; throws if it is none.
inline events::order_accepted order_in(std::string_view text) {
    auto event = events::parse(text);
    if (!event) throw std::runtime_error(event.error());
    return std::get<events::order_accepted>(std::move(*event));
}

/// A gate of any kind on fresh data, with its thread's part played by the test.
class gate_world {
public:
    explicit gate_world(adapter kind, std::size_t outbox_events_max = 1'000'000,
                        std::function<void(std::int64_t)> before_update = {});
    ~gate_world();

    stock::gate& gate() { return *gate_; }
    postgres::session& stock_database() { return database_; }
    stock::shard_epochs& epochs() { return epochs_; }
    asio::io_context& io() { return io_; }
    std::string stock_database_url() const { return sandbox_.url(sandbox::database::stock); }
    const std::string& key_prefix() const { return sandbox_.name(); }

    /// Another gate on the same data, as another process has it.
    std::unique_ptr<stock::gate> another();

    /// A product in the record and at the gate.
    std::int64_t make_product(std::int64_t supplied, std::optional<std::int64_t> limit = {},
                              std::optional<timestamp> starts = {},
                              std::optional<timestamp> ends = {}, currency_code currency = {},
                              std::uint32_t payment_window_s = 0);

    stock::reservation sale(std::int64_t product, std::int64_t user, std::int64_t quantity,
                            std::string key);
    stock::reservation reduction(std::int64_t product, std::int64_t quantity, std::string key);

    std::vector<stock::decision> reserve(std::vector<stock::reservation> batch);
    stock::decision reserve_one(stock::reservation one);
    std::expected<void, stock::errc> give(stock::gate_product what);
    /// What a product is sold by becomes this: in the record where that is the gate, else at the
    /// gate.
    std::expected<void, stock::errc> change(stock::gate_product what);
    void redis_command(std::vector<std::string_view> words);
    std::expected<void, stock::errc> take_returns(stock::returned_units what);
    std::expected<void, stock::errc> prune(const stock::grant& granted);
    std::optional<std::int64_t> available(std::int64_t product);
    std::expected<std::optional<std::string>, stock::errc> find_event(uuid id);
    stock::gate::found_events find_events(std::vector<uuid> ids);
    std::expected<stock::gate::levels, stock::errc> levels(std::int64_t product);
    std::vector<std::string> outbox();

    /// Runs the io_context until `start`'s callback was called.
    template <class T>
    T wait_for(const std::function<void(callback<T>)>& start) {
        std::optional<T> result;
        start([&](T value) { result = std::move(value); });
        io_.restart();
        while (!result)
            io_.run_one();
        return std::move(*result);
    }

private:
    adapter kind_;
    sandbox sandbox_;
    asio::io_context io_;
    stock::shard_epochs epochs_{1};
    stock::redis_gate_options redis_options_;
    stock::database_gate_options database_options_;
    postgres::session database_;
    postgres::pool pool_;
    redis::client client_;
    std::unique_ptr<stock::memory_gate_owner> memory_;
    std::unique_ptr<stock::gate> gate_;
    uuid_generator ids_;
    std::deque<std::string> keys_;  // which reservations point to
};

}  // namespace flashsale::test
