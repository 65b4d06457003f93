#pragma once

// What is accepted and not yet in the database, as a whole, for lists. An outbox is found by id,
// and by nothing else; so it is read from end to end, and what was read is shared by all requests.
//
// Two bounds keep that cheap: while a reading is under way all requests wait for the same next one,
// and between two there is a rest of twenty times as long as the last one took. A request that had
// to wait for long gets the last one. None is wrong for being old: an order accepted before its
// `read_at` is in it, or was recorded before it was read, so that a request that reads the database
// afterwards has all of them.

#include <flashsale/order.hpp>
#include <flashsale/order/store.hpp>
#include <flashsale/stock.hpp>
#include <flashsale/stock/gate_outbox.hpp>

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <unordered_map>
#include <vector>

namespace flashsale::order {

/// Every order accepted before `read_at`, by the gate's clock, is here or recorded.
struct waiting_orders {
    timestamp read_at;
    std::unordered_map<std::int64_t, std::vector<order>> of_user;
    std::unordered_map<std::int64_t, timestamp> oldest_of_product;  ///< when it was accepted
};

/// One per worker, on its thread.
class outbox_view {
public:
    struct options {
        std::size_t orders_max = 65'536;  ///< a longer outbox is not read
        std::chrono::milliseconds patience{250};
        std::chrono::milliseconds rest_min{10};
        int rest_factor = 20;
    };

    outbox_view(asio::io_context& io, stock::outbox_pages& outbox, store& record,
                std::uint32_t shards, const options& limits);
    outbox_view(asio::io_context& io, stock::outbox_pages& outbox, store& record,
                std::uint32_t shards);

    using answer = std::shared_ptr<const waiting_orders>;

    /// One read after this call, or the last one if that would take longer than the patience, or
    /// cannot be had; nullptr: there has been none.
    awaitable<answer> read();

private:
    void begin_when_rested();
    awaitable<void> read_all();
    awaitable<bool> read_shard(std::uint32_t shard, waiting_orders& into, std::size_t& orders);

    asio::io_context& io_;
    stock::outbox_pages& outbox_;
    store& store_;
    const std::uint32_t shards_;
    const options limits_;
    asio::steady_timer rest_;
    bool reading_ = false;
    bool resting_ = false;
    std::vector<callback<answer>> next_;  // wait for the reading after the one under way
    answer last_;
    deadline rested_at_{};
    std::chrono::nanoseconds took_{0};
};

}  // namespace flashsale::order
