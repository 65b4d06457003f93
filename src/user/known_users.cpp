#include "known_users.hpp"

#include <algorithm>

namespace flashsale::user {

known_users::known_users(std::size_t max) : half_(std::max<std::size_t>(1, max / 2)) {}

bool known_users::contains(std::int64_t id) {
    if (young_.contains(id)) return true;
    if (old_.erase(id) == 0) return false;
    add(id);
    return true;
}

void known_users::add(std::int64_t id) {
    if (young_.size() >= half_) {
        old_ = std::move(young_);
        young_ = {};
    }
    young_.insert(id);
}

}  // namespace flashsale::user
