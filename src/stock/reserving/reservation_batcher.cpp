#include "reservation_batcher.hpp"

#include <algorithm>

#include <flashsale/base/must_hold.hpp>

namespace flashsale::stock {

namespace {

constexpr std::size_t places_at_first = 32;

}  // namespace

reservation_batcher::reservation_batcher(std::uint32_t shards, const gate_batching& policy,
                                         std::size_t waiting_max)
    : shards_(shards), policy_(policy), waiting_max_(waiting_max) {}

bool reservation_batcher::add(std::uint32_t shard, const reservation& what, answer&& done) {
    if (waiting_ >= waiting_max_) return false;
    auto& filling = shards_[shard].filling;
    if (filling.empty() || filling.back().size() >= policy_.reservations_max()) {
        const std::size_t places = std::min(places_at_first, policy_.reservations_max());
        reservation_batch& made = filling.emplace_back();
        made.reservations.reserve(places);
        made.answers.reserve(places);
    }
    filling.back().reservations.push_back(what);
    filling.back().answers.push_back(std::move(done));
    ++waiting_;
    return true;
}

reservation_batch reservation_batcher::take(std::uint32_t shard) {
    queue& from = shards_[shard];
    if (from.filling.empty()) return {};
    if (!policy_.may_go(from.filling.front().size(), from.in_flight)) return {};
    reservation_batch batch = std::move(from.filling.front());
    from.filling.pop_front();
    must_hold(batch.reservations.size() == batch.answers.size(), "each reservation has its answer");
    must_hold(waiting_ >= batch.size(), "what is taken out was put in");
    waiting_ -= batch.size();
    ++from.in_flight;
    return batch;
}

std::size_t reservation_batcher::waiting(std::uint32_t shard) const {
    const auto& filling = shards_[shard].filling;
    if (filling.empty()) return 0;
    return (filling.size() - 1) * policy_.reservations_max() + filling.back().size();
}

void reservation_batcher::finished(std::uint32_t shard) {
    must_hold(shards_[shard].in_flight > 0, "a batch is finished once");
    --shards_[shard].in_flight;
}

}  // namespace flashsale::stock
