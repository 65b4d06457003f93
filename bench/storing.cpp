#include "storing.hpp"

#include <thread>

namespace flashsale::bench {

namespace {

constexpr std::chrono::milliseconds poll_interval{50};
// The counts may be enough and still grow: a row too many often comes last.
constexpr std::chrono::milliseconds settle_time{500};

}  // namespace

std::expected<clock::time_point, std::string> wait_until_stored(
    record_source& databases, std::span<const std::int64_t> products, std::uint64_t accepted,
    std::chrono::milliseconds limit, progress_line& progress) {
    const auto wanted = static_cast<std::int64_t>(accepted);
    const auto end = clock::now() + limit;
    record_source::progress last;
    auto changed = clock::now();
    while (true) {
        const auto now = databases.count(products);
        if (!now) return std::unexpected(now.error());
        progress.show("stored: " + std::to_string(now->orders) + " of " + std::to_string(wanted));
        if (*now != last) changed = clock::now();
        last = *now;
        const bool enough = now->orders >= wanted && now->sale_movements >= now->orders;
        if (enough && clock::now() - changed >= settle_time) return changed;
        if (clock::now() > end) return changed;
        std::this_thread::sleep_for(poll_interval);
    }
}

}  // namespace flashsale::bench
