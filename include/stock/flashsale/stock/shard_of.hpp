#pragma once

// How products are spread over the shards.

#include <cstdint>

namespace flashsale::stock {

/// Which shard a product belongs to; the number of shards is fixed for a deployment.
inline std::uint32_t shard_of(std::int64_t product_id, std::uint32_t shards) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(product_id) % shards);
}

}  // namespace flashsale::stock
