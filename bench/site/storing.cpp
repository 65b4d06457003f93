#include "site/storing.hpp"

#include <algorithm>
#include <thread>

namespace flashsale::bench {

namespace {

// To count the rows takes the machine from those who write them: so the count is taken rarely while
// many are missing, and often at the end.
constexpr std::chrono::milliseconds poll_interval_min{20};
constexpr std::chrono::milliseconds poll_interval_max{200};
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
    auto looked = changed;
    std::chrono::duration<double> pause = poll_interval_min;
    while (true) {
        const auto now = databases.count(products);
        if (!now) return std::unexpected(now.error());
        progress.show("stored: " + std::to_string(now->orders) + " of " + std::to_string(wanted));
        const auto stored = std::min(now->orders, now->sale_movements);
        const auto fresh = stored - std::min(last.orders, last.sale_movements);
        const std::chrono::duration<double> since = clock::now() - looked;
        looked = clock::now();
        if (*now != last) changed = looked;
        last = *now;
        // A quarter of the time that the rest will take at the speed since the last look.
        if (stored >= wanted)
            pause = poll_interval_max;
        else if (fresh > 0)
            pause = since * (static_cast<double>(wanted - stored) / static_cast<double>(fresh) / 4);
        const bool enough = now->orders >= wanted && now->sale_movements >= now->orders;
        if (enough && clock::now() - changed >= settle_time) return changed;
        if (clock::now() > end) return changed;
        std::this_thread::sleep_for(
            std::clamp<std::chrono::duration<double>>(pause, poll_interval_min, poll_interval_max));
    }
}

}  // namespace flashsale::bench
