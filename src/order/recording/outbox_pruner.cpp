#include "outbox_pruner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include <flashsale/base/must_hold.hpp>

#include "metrics.hpp"

namespace flashsale::order {

namespace {

constexpr std::size_t unpruned_max = 1'000'000;
constexpr std::size_t events_per_call_max = 4'096;
constexpr std::chrono::milliseconds retry_interval{250};

}  // namespace

outbox_pruner::outbox_pruner(asio::io_context& io, stock::outbox_backlog& outbox)
    : outbox_(outbox), retry_(io) {}

void outbox_pruner::prune(std::vector<stock::recorded_event> recorded) {
    waiting_.insert(waiting_.end(), recorded.begin(), recorded.end());
    if (waiting_.size() > unpruned_max) {
        const std::size_t excess = waiting_.size() - unpruned_max;
        metrics::unpruned_dropped.add(static_cast<std::int64_t>(excess));
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(excess));
    }
    if (!under_way_) send();
}

void outbox_pruner::send() {
    metrics::unpruned.set(std::ssize(waiting_));
    if (waiting_.empty()) return;
    const std::size_t count = std::min(waiting_.size(), events_per_call_max);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<stock::recorded_event> batch(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    must_hold(!under_way_, "one removal is under way at a time");
    under_way_ = true;
    outbox_.prune(batch, [this, batch](std::expected<void, stock::errc> done) {
        under_way_ = false;
        if (done) return send();
        spdlog::debug("outbox entries not pruned yet: {}", stock::name_of(done.error()));
        waiting_.insert(waiting_.end(), batch.begin(), batch.end());
        metrics::unpruned.set(std::ssize(waiting_));
        under_way_ = true;
        retry_.expires_after(retry_interval);
        retry_.async_wait([this](boost::system::error_code stopped) {
            under_way_ = false;
            if (!stopped) send();
        });
    });
}

}  // namespace flashsale::order
