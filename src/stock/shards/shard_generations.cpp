#include <flashsale/stock/module.hpp>

namespace flashsale::stock {

void shard_generations::raise(std::uint32_t shard, std::uint64_t generation) {
    std::atomic<std::uint64_t>& newest = shards_[shard].generation;
    std::uint64_t seen = newest.load();
    while (seen < generation && !newest.compare_exchange_weak(seen, generation)) {
    }
}

void shard_generations::shut_out(std::uint32_t shard, const uuid& token) {
    if (shard >= shards_.size()) return;
    state& of = shards_[shard];
    const std::lock_guard lock(of.mutex);
    if (of.seen != uuid{} && of.seen != token) return;
    of.shut = token;
    of.is_shut_out = true;
}

void shard_generations::saw(std::uint32_t shard, const uuid& token) {
    state& of = shards_[shard];
    const std::lock_guard lock(of.mutex);
    of.seen = token;
    if (of.shut != token) of.is_shut_out = false;
}

void shard_generations::note_newest_token(std::uint32_t shard, std::uint64_t generation,
                                          const uuid& token) {
    state& of = shards_[shard];
    const std::lock_guard lock(of.mutex);
    if (of.generation_of_newest == generation && of.newest != token) count_log_change();
    of.generation_of_newest = generation;
    of.newest = token;
}

}  // namespace flashsale::stock
