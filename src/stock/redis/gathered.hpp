#pragma once

#include <expected>

#include <flashsale/base/async.hpp>
#include <flashsale/stock/refusal.hpp>

namespace flashsale::stock {

/// Calls back once, when as many parts as there are shards are done, with the first fault.
struct gathered {
    std::size_t parts_left;
    std::expected<void, errc> result;
    callback<std::expected<void, errc>> done;

    void finish_part(std::expected<void, errc> part) {
        if (!part && result) result = part;
        if (--parts_left == 0) done(result);
    }
};

}  // namespace flashsale::stock
