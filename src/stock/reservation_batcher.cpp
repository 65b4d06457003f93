#include "reservation_batcher.hpp"

#include <algorithm>

namespace flashsale::stock {

reservation_batcher::reservation_batcher(std::uint32_t shards, gate::batching_limits limits,
                                         std::size_t waiting_max)
    : shards_(shards), limits_(limits), waiting_max_(waiting_max) {}

bool reservation_batcher::add(std::uint32_t shard, waiting_reservation&& one) {
    if (waiting_ >= waiting_max_) return false;
    shards_[shard].waiting.push_back(std::move(one));
    ++waiting_;
    return true;
}

std::vector<waiting_reservation> reservation_batcher::take(std::uint32_t shard) {
    queue& from = shards_[shard];
    std::vector<waiting_reservation> batch;
    if (from.waiting.empty() || from.in_flight >= limits_.batches_in_flight_max) return batch;
    const std::size_t count = std::min(limits_.reservations_max, from.waiting.size());
    const auto end = from.waiting.begin() + static_cast<std::ptrdiff_t>(count);
    batch.reserve(count);
    std::move(from.waiting.begin(), end, std::back_inserter(batch));
    from.waiting.erase(from.waiting.begin(), end);
    waiting_ -= count;
    ++from.in_flight;
    return batch;
}

void reservation_batcher::finished(std::uint32_t shard) {
    --shards_[shard].in_flight;
}

}  // namespace flashsale::stock
