#include <flashsale/stock/module.hpp>

namespace flashsale::stock {

void shard_epochs::raise(std::uint32_t shard, std::uint64_t epoch) {
    std::atomic<std::uint64_t>& newest = shards_[shard].epoch;
    std::uint64_t seen = newest.load();
    while (seen < epoch && !newest.compare_exchange_weak(seen, epoch)) {
    }
}

void shard_epochs::shut_out(std::uint32_t shard, const uuid& token) {
    if (shard >= shards_.size()) return;
    state& of = shards_[shard];
    const std::lock_guard lock(of.mutex);
    if (of.seen != uuid{} && of.seen != token) return;
    of.shut = token;
    of.is_shut_out = true;
}

void shard_epochs::saw(std::uint32_t shard, const uuid& token) {
    state& of = shards_[shard];
    const std::lock_guard lock(of.mutex);
    of.seen = token;
    if (of.shut != token) of.is_shut_out = false;
}

void shard_epochs::note_newest_token(std::uint32_t shard, std::uint64_t epoch, const uuid& token) {
    state& of = shards_[shard];
    const std::lock_guard lock(of.mutex);
    if (of.epoch_of_newest == epoch && of.newest != token) count_log_change();
    of.epoch_of_newest = epoch;
    of.newest = token;
}

}  // namespace flashsale::stock
