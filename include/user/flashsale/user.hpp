#pragma once

// The user module: who may buy. What other modules may know.

#include <cstdint>
#include <expected>

#include "flashsale/base/async.hpp"

namespace flashsale::user {

enum class errc {
    overloaded,              ///< too many look-ups are waiting
    dependency_unavailable,  ///< the user database does not answer
};

/// Whether a user exists. One per worker, on its thread.
class directory {
public:
    virtual ~directory() = default;

    /// Whether the cache has the user. False says nothing: ask exists().
    virtual bool is_known(std::int64_t user_id) = 0;

    /// From the cache at once, from inside the call; or after a look-up that it shares with all
    /// calls meanwhile. Existence alone is remembered: an unknown user is looked up again.
    virtual void exists(std::int64_t user_id, callback<std::expected<bool, errc>> done) = 0;
};

}  // namespace flashsale::user
