#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>

namespace flashsale::user {

/// Ids of users that were seen to exist, at most `max` of them. Two generations: when the young one
/// holds half, it becomes the old one and the old one is forgotten; what is asked for moves to the
/// young one. Users are never deleted, so an entry cannot be wrong.
class known_users {
public:
    explicit known_users(std::size_t max);

    bool contains(std::int64_t id);
    void add(std::int64_t id);
    std::size_t size() const { return young_.size() + old_.size(); }

private:
    const std::size_t half_;
    std::unordered_set<std::int64_t> young_;
    std::unordered_set<std::int64_t> old_;
};

}  // namespace flashsale::user
