#pragma once

#include <flashsale/redis.hpp>
#include <flashsale/stock/gate.hpp>

#include "redis_codec.hpp"

namespace flashsale::stock {

/// A page of gate::list_products(), of the shard that has these keys.
void list_products_at(redis::client& server, const shard_keys& keys, std::uint64_t epoch,
                      const std::string& cursor,
                      callback<std::expected<gate::product_page, errc>> done);

}  // namespace flashsale::stock
