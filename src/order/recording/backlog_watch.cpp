#include "backlog_watch.hpp"

#include <boost/asio/post.hpp>

#include <flashsale/base/must_hold.hpp>

namespace flashsale::order {

namespace {

using namespace std::chrono_literals;

/// A question costs a gate a few microseconds.
constexpr auto interval = 200ms;

}  // namespace

backlog_watch::backlog_watch(asio::io_context& io, stock::outbox_backlog& outbox,
                             std::uint32_t shards)
    : io_(io), outbox_(outbox), seen_(shards) {}

void backlog_watch::look(std::uint64_t recorded) {
    const auto now = clock::now();
    if (now - asked_at_ < interval || unanswered_ > 0) return;
    asked_at_ = now;
    unanswered_ = static_cast<int>(seen_.shards());
    asio::post(io_, [this, now, recorded] { ask(now, recorded); });
}

void backlog_watch::ask(clock::time_point asked, std::uint64_t recorded) {
    for (std::uint32_t i = 0; i < seen_.shards(); ++i) {
        outbox_.read_backlog(
            i, [this, i, asked,
                recorded](std::expected<stock::outbox_backlog::backlog, stock::errc> reply) {
                if (reply) {
                    const std::lock_guard lock(mutex_);
                    seen_.seen(i, asked, reply->epoch,
                               reply->granted.value_or(reply->waiting + recorded), reply->waiting);
                }
                must_hold(unanswered_.fetch_sub(1) > 0, "a shard answers a question once");
            });
    }
}

std::optional<backlog> backlog_watch::read() const {
    const std::lock_guard lock(mutex_);
    return seen_.at(clock::now());
}

void backlog_watch::set_mark() {
    const std::lock_guard lock(mutex_);
    seen_.set_mark();
}

bool backlog_watch::recorded_since_mark() const {
    const std::lock_guard lock(mutex_);
    return seen_.recorded_since_mark();
}

void backlog_watch::forget() {
    const std::lock_guard lock(mutex_);
    seen_.forget();
}

}  // namespace flashsale::order
