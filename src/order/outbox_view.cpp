#include "outbox_view.hpp"

#include <boost/asio/co_spawn.hpp>

#include <flashsale/base/must_hold.hpp>
#include <flashsale/events/event.hpp>
#include <flashsale/stock/awaited.hpp>

#include <algorithm>
#include <utility>

#include "order_of.hpp"

namespace flashsale::order {

outbox_view::outbox_view(asio::io_context& io, stock::outbox_pages& outbox, store& record,
                         std::uint32_t shards, const options& limits)
    : io_(io), outbox_(outbox), store_(record), shards_(shards), limits_(limits), rest_(io) {}

outbox_view::outbox_view(asio::io_context& io, stock::outbox_pages& outbox, store& record,
                         std::uint32_t shards)
    : outbox_view(io, outbox, record, shards, options{}) {}

awaitable<outbox_view::answer> outbox_view::read() {
    const auto now = std::chrono::steady_clock::now();
    const auto rest = reading_ ? took_ * (1 + limits_.rest_factor)
                               : std::max(rested_at_ - now, deadline::duration::zero());
    if (last_ && rest + took_ > limits_.patience) co_return last_;
    co_return co_await await_callback<answer>([this](auto done) {
        next_.push_back(std::move(done));
        begin_when_rested();
    });
}

void outbox_view::begin_when_rested() {
    if (reading_ || resting_ || next_.empty()) return;
    resting_ = true;
    rest_.expires_at(rested_at_);
    rest_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        resting_ = false;
        asio::co_spawn(io_, read_all(), [](std::exception_ptr fault) {
            if (fault) std::rethrow_exception(fault);
        });
    });
}

awaitable<void> outbox_view::read_all() {
    must_hold(!reading_, "one reading of the outbox is under way at a time");
    reading_ = true;
    auto waiting = std::exchange(next_, {});
    const auto begun = std::chrono::steady_clock::now();
    auto found = std::make_shared<waiting_orders>();
    found->read_at = timestamp::max();
    std::size_t orders = 0;
    bool whole = true;
    for (std::uint32_t shard = 0; whole && shard < shards_; ++shard)
        whole = co_await read_shard(shard, *found, orders);
    // An id tells the millisecond, and of this one there may be more.
    found->read_at = std::chrono::floor<std::chrono::milliseconds>(found->read_at);
    if (whole) last_ = std::move(found);

    const auto ended = std::chrono::steady_clock::now();
    took_ = ended - begun;
    rested_at_ =
        ended + std::max<std::chrono::nanoseconds>(limits_.rest_min, took_ * limits_.rest_factor);
    reading_ = false;
    for (auto& done : waiting)
        done(last_);
    begin_when_rested();
}

// A gate that was replaced, and does not know it, has an outbox of its own. Its successor has
// granted nothing before the record's fence was raised.
awaitable<bool> outbox_view::read_shard(std::uint32_t shard, waiting_orders& into,
                                        std::size_t& orders) {
    std::string cursor;
    std::uint64_t epoch = 0;
    for (bool first = true; first || !cursor.empty(); first = false) {
        const auto page = co_await stock::read_outbox(outbox_, shard, std::move(cursor));
        if (!page) co_return false;
        if (first) {
            epoch = page->epoch;
            into.read_at = std::min(into.read_at, page->read_at);
        } else if (page->epoch != epoch) {
            co_return false;
        }
        orders += page->events.size();
        if (orders > limits_.orders_max) co_return false;
        for (const std::string& text : page->events) {
            const auto event = events::parse(text);
            const auto* one = event ? std::get_if<events::order_accepted>(&*event) : nullptr;
            if (one == nullptr) continue;
            into.of_user[one->user_id].push_back(order_of(*one));
            const auto [oldest, is_new] =
                into.oldest_of_product.try_emplace(one->product_id, one->created_at);
            if (!is_new) oldest->second = std::min(oldest->second, one->created_at);
        }
        cursor = page->next_cursor;
    }
    const auto newest = co_await store_.newest_gate(shard);
    co_return newest && *newest <= epoch;
}

}  // namespace flashsale::order
