#include "known_users.hpp"

#include <algorithm>
#include <utility>

namespace flashsale::user {

namespace {

// Arithmetic shift and mask: right for what is below zero too.
std::int64_t number_of(std::int64_t id) {
    return id >> 10;
}
std::size_t place_of(std::int64_t id) {
    return static_cast<std::size_t>(id & (known_users::page_ids - 1));
}
static_assert(known_users::page_ids == 1 << 10);

template <class Page>
bool has(const Page& page, std::int64_t id) {
    return (page.bits[place_of(id) / 64] >> (place_of(id) % 64) & 1) != 0;
}

template <class Page>
void put(Page& page, std::int64_t id) {
    page.bits[place_of(id) / 64] |= std::uint64_t{1} << (place_of(id) % 64);
}

}  // namespace

id_range known_users::page_of(std::int64_t id) {
    const std::int64_t first = id & ~(page_ids - 1);
    return {first, first | (page_ids - 1)};
}

known_users::known_users(std::size_t users_max)
    : half_(std::max<std::size_t>(1, users_max / page_price / 2)) {}

bool known_users::contains(std::int64_t id) {
    bool first = false;
    return contains(id, first);
}

bool known_users::contains(std::int64_t id, bool& first) {
    page* const found = find(number_of(id));
    if (found == nullptr || !has(*found, id)) return false;
    first = std::exchange(found->ahead, false);
    return true;
}

bool known_users::was_read(std::int64_t id) const {
    for (const epoch* each : {&young_, &old_}) {
        const auto found = each->find(number_of(id));
        if (found != each->end()) return found->second.whole;
    }
    return false;
}

void known_users::add(std::int64_t id) {
    put(at(number_of(id)), id);
}

void known_users::add_page(std::span<const std::int64_t> ids, bool ahead) {
    if (ids.empty()) return;
    page& of = at(number_of(ids.front()));
    for (const std::int64_t id : ids)
        put(of, id);
    of.whole = true;
    of.ahead = ahead;
}

known_users::page* known_users::find(std::int64_t number) {
    if (const auto young = young_.find(number); young != young_.end()) return &young->second;
    return old_.contains(number) ? &at(number) : nullptr;
}

/// In the young epoch, moved or made there.
known_users::page& known_users::at(std::int64_t number) {
    if (const auto young = young_.find(number); young != young_.end()) return young->second;
    const auto old = old_.extract(number);
    if (young_.size() >= half_) {
        old_ = std::move(young_);
        young_ = {};
    }
    return young_[number] = old.empty() ? page{} : old.mapped();
}

}  // namespace flashsale::user
