#include "backlog_watch.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace flashsale::order {

namespace {

using namespace std::chrono_literals;

/// A question costs a gate a few microseconds.
constexpr auto interval = 200ms;
constexpr auto fresh_for = 1'000ms;

}  // namespace

backlog_watch::backlog_watch(asio::io_context& io, stock::outbox_backlog& outbox,
                             std::uint32_t shards)
    : io_(io), outbox_(outbox), shards_(shards) {}

void backlog_watch::look(std::uint64_t recorded) {
    const auto now = clock::now();
    if (now - asked_at_ < interval || unanswered_ > 0) return;
    asked_at_ = now;
    unanswered_ = static_cast<int>(shards_.size());
    asio::post(io_, [this, now, recorded] { ask(now, recorded); });
}

void backlog_watch::ask(clock::time_point asked, std::uint64_t recorded) {
    for (std::uint32_t i = 0; i < shards_.size(); ++i) {
        outbox_.read_backlog(
            i, [this, i, asked,
                recorded](std::expected<stock::outbox_backlog::backlog, stock::errc> reply) {
                if (reply) {
                    const std::lock_guard lock(mutex_);
                    shard& of = shards_[i];
                    of.age.seen(asked, reply->generation,
                                reply->granted.value_or(reply->waiting + recorded), reply->waiting);
                    if (!of.marked) {
                        of.marked = true;
                        of.marked_generation = of.age.generation();
                        of.marked_recorded = of.age.recorded();
                    }
                }
                --unanswered_;
            });
    }
}

std::optional<backlog_watch::backlog> backlog_watch::read() const {
    const auto now = clock::now();
    const std::lock_guard lock(mutex_);
    backlog out;
    for (const shard& one : shards_) {
        const auto age = one.age.at(now);
        if (!age || now - *one.age.seen_at() > fresh_for) return std::nullopt;
        out.age = std::max(out.age, *age);
        out.events = std::max(out.events, one.age.waiting());
    }
    return out;
}

void backlog_watch::set_mark() {
    const std::lock_guard lock(mutex_);
    for (shard& one : shards_)
        one.marked = false;  // the next answer is the mark
}

bool backlog_watch::recorded_since_mark() const {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(shards_, [](const shard& one) {
        return one.marked && one.age.generation() == one.marked_generation &&
               one.age.recorded() > one.marked_recorded;
    });
}

void backlog_watch::forget() {
    const std::lock_guard lock(mutex_);
    for (shard& one : shards_)
        one.age = {};
}

}  // namespace flashsale::order
