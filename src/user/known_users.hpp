#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>

#include <flashsale/user/store.hpp>

namespace flashsale::user {

/// Ids of users that were seen to exist, in pages of neighbours. Users are numbered one by one and
/// never deleted, so a page costs little more than one id and an entry cannot be wrong; but users
/// may have been added to a page since it was read. As many pages as need the memory of `users_max`
/// single ids, so that users that are no neighbours find room too. Two epochs: when the young
/// one has half of the pages, it becomes the old one and the old one is forgotten; what is asked
/// for moves to the young one.
class known_users {
public:
    static constexpr std::int64_t page_ids = 1'024;
    /// A page takes the memory of so many ids in a hash set.
    static constexpr std::size_t page_price = 4;
    /// The ids that share a page with this one.
    static id_range page_of(std::int64_t id);

    explicit known_users(std::size_t users_max);

    bool contains(std::int64_t id);
    /// The same; `first` turns true if the id's page was read ahead, and this is its first hit.
    bool contains(std::int64_t id, bool& first);
    /// Whether the id's page was read, and is remembered.
    bool was_read(std::int64_t id) const;

    void add(std::int64_t id);
    /// All of a page's users, `ahead` of any question for one. Of a page without any nothing is
    /// remembered.
    void add_page(std::span<const std::int64_t> ids, bool ahead = false);

    std::size_t pages() const { return young_.size() + old_.size(); }

private:
    struct page {
        std::array<std::uint64_t, page_ids / 64> bits{};
        bool whole = false;
        bool ahead = false;  ///< it had no hit yet
    };
    using epoch = std::unordered_map<std::int64_t, page>;

    page* find(std::int64_t number);
    page& at(std::int64_t number);

    const std::size_t half_;
    epoch young_;
    epoch old_;
};

}  // namespace flashsale::user
