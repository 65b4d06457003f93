// The consumer: a connection driven by the thread that calls receive().
//
// Frames are read by hand: deliver, header, body pieces, copied once into the delivery. What has
// gathered is bounded by the prefetch, since the broker sends no more than that unacknowledged.
//
// Order is kept by what is never done here: no basic.cancel and no requeue, after either of which a
// quorum queue hands later messages to the next consumer first. A consumer that only goes away
// gives back what it held in its old order.
//
// A queue that is deleted under load and declared again by a publisher at once cancels no consumer:
// the broker's channel takes the new queue for the old one. Either it is not a consumer of the new
// one, or it drops what is delivered. So a consumer to which nothing comes looks at the queue, and
// subscribes again on a new connection if the queue has messages and no consumer, or messages that
// do not come for seconds. They may be the turn of another process, which is behind: this one holds
// nothing then and loses nothing, and while nothing comes it does so ever more rarely. To a
// consumer that holds the whole prefetch unacknowledged nothing may come, so it does not look.

#include <spdlog/spdlog.h>

#include <deque>

#include "connection.hpp"
#include "delivery_tags.hpp"
#include "metrics.hpp"
#include "table.hpp"
#include "wakeup.hpp"

namespace flashsale::amqp {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto farewell_patience = 1'000ms;
constexpr auto look_interval = 1'000ms;
constexpr int looks_without_consumers = 2;
constexpr int looks_in_vain_first = 5, looks_in_vain_most = 60;
constexpr std::size_t body_bytes_reserved_max = 1'048'576;
constexpr std::uint64_t year_10000 = 253'402'300'800;  // no time of ours, and none of PostgreSQL's

}  // namespace

struct consumer::impl {
    impl(options chosen, topology declared, std::uint16_t prefetch)
        : settings_(std::move(chosen)),
          server_(parse_url(settings_.url)),
          names_(std::move(declared)),
          prefetch_(prefetch),
          dog_(settings_.stall_timeout) {}

    status connect();
    status read_frames(std::size_t gathered_max);
    status take(const amqp_frame_t& frame);
    void complete();
    status usable(std::uint64_t tag);
    status look_if_quiet();
    std::string drop(std::string reason);
    void forget();
    void become(link_state now, const std::string& why);

    const options settings_;
    const server server_;
    const topology names_;
    const std::uint16_t prefetch_;

    watchdog dog_;
    std::unique_ptr<connection> link_;
    std::uint64_t incarnation_ = 0;
    delivery_tags tags_;
    std::vector<delivery> gathered_;
    delivery partial_;
    std::uint64_t body_bytes_left_ = 0;
    clock::time_point look_from_{};
    int looks_in_vain_ = 0, looks_in_vain_max_ = looks_in_vain_first;

    wakeup wakeup_;
    std::atomic<link_state> state_{link_state::down};
    mutable std::mutex fault_mutex_;
    std::string fault_ = "not connected yet";
};

// ---- the life of a connection

status consumer::impl::connect() {
    auto made = connection::open(settings_, server_, dog_);
    status ok = made ? status{} : std::unexpected(made.error());
    if (ok) ok = (*made)->declare(names_);
    if (ok) ok = (*made)->consume(names_.queue, prefetch_);
    if (!ok) {
        // Once a reason, not once an attempt.
        if (ok.error() != fault_) spdlog::warn("amqp consumer: {}", ok.error());
        become(link_state::down, ok.error());
        return ok;
    }
    link_ = std::move(*made);
    look_from_ = clock::now() + look_interval;
    looks_in_vain_ = 0;
    tags_.begin(++incarnation_);
    metrics::connects.add();
    spdlog::info("amqp consumer: connected to {}", server_.name());
    become(link_state::up, {});
    return {};
}

std::string consumer::impl::drop(std::string reason) {
    metrics::disconnects.add();
    spdlog::warn("amqp consumer: lost {}: {}", server_.name(), reason);
    become(link_state::down, reason);
    forget();
    return reason;
}

void consumer::impl::forget() {
    link_.reset();
    gathered_.clear();
    partial_ = {};
    body_bytes_left_ = 0;
}

void consumer::impl::become(link_state now, const std::string& why) {
    state_ = now;
    const std::lock_guard lock(fault_mutex_);
    fault_ = why;
}

// ---- deliveries

status consumer::impl::read_frames(std::size_t gathered_max) {
    amqp_frame_t frame;
    while (gathered_.size() < gathered_max) {
        const auto got = link_->next_frame(frame);
        if (!got) return std::unexpected(drop(got.error()));
        if (!*got) break;
        if (auto ok = take(frame); !ok) return std::unexpected(drop(ok.error()));
    }
    return {};
}

status consumer::impl::take(const amqp_frame_t& frame) {
    if (frame.frame_type == AMQP_FRAME_BODY) {
        const auto piece = to_view(frame.payload.body_fragment);
        partial_.body.append(piece);
        body_bytes_left_ -= std::min<std::uint64_t>(body_bytes_left_, piece.size());
        if (body_bytes_left_ == 0) complete();
    } else if (frame.frame_type == AMQP_FRAME_HEADER) {
        const auto& sent = *static_cast<amqp_basic_properties_t*>(frame.payload.properties.decoded);
        if ((sent._flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0 && sent.timestamp < year_10000)
            partial_.published_at = std::chrono::sys_seconds(std::chrono::seconds(sent.timestamp));
        body_bytes_left_ = frame.payload.properties.body_size;
        partial_.body.reserve(std::min<std::uint64_t>(body_bytes_left_, body_bytes_reserved_max));
        if (body_bytes_left_ == 0) complete();
    } else if (frame.payload.method.id == AMQP_BASIC_DELIVER_METHOD) {
        const auto& deliver = *static_cast<amqp_basic_deliver_t*>(frame.payload.method.decoded);
        partial_.tag = deliver.delivery_tag;
        partial_.redelivered = deliver.redelivered;
    } else if (frame.payload.method.id == AMQP_BASIC_CANCEL_METHOD) {
        return std::unexpected("the server cancelled the consumer: the queue is gone or has moved");
    }
    return {};
}

void consumer::impl::complete() {
    metrics::delivered.add();
    look_from_ = clock::now() + look_interval;
    looks_in_vain_ = 0;
    looks_in_vain_max_ = looks_in_vain_first;
    if (partial_.redelivered) metrics::redelivered.add();
    partial_.tag = tags_.add(partial_.tag);
    gathered_.push_back(std::exchange(partial_, {}));
}

/// What is delivered while the question is out waits in the library.
status consumer::impl::look_if_quiet() {
    if (!gathered_.empty() || tags_.open() >= prefetch_ || clock::now() < look_from_) return {};
    const auto queue = link_->look_at(names_.queue);
    if (!queue) return std::unexpected(drop(queue.error()));
    look_from_ = clock::now() + look_interval;
    // The broker says 0 and 0 also of a queue whose leader does not answer it within 250 ms.
    if (queue->ready == 0) {
        looks_in_vain_ = 0;
        return {};
    }
    ++looks_in_vain_;
    if (looks_in_vain_ < (queue->consumers > 0 ? looks_in_vain_max_ : looks_without_consumers))
        return {};
    looks_in_vain_max_ = std::min(looks_in_vain_max_ * 2, looks_in_vain_most);
    spdlog::info(
        "amqp consumer: {} has {} messages and {} consumers, and nothing comes: it "
        "subscribes again",
        names_.queue, queue->ready, queue->consumers);
    metrics::disconnects.add();
    link_->close(farewell_patience);
    forget();
    return connect();
}

/// Also reads what came, without limit but the prefetch: the library must not find its heartbeats
/// missing while it sends, where it would wait without limit.
status consumer::impl::usable(std::uint64_t tag) {
    if (!link_) return std::unexpected("not connected");
    if (tags_.is_void(tag)) return std::unexpected("the tag is of an earlier connection");
    return read_frames(SIZE_MAX);
}

// ---- the public surface

consumer::consumer(options settings, topology names, std::uint16_t prefetch_messages)
    : impl_(std::make_unique<impl>(std::move(settings), std::move(names), prefetch_messages)) {}

consumer::~consumer() {
    close();
}

std::expected<std::vector<delivery>, std::string> consumer::receive(
    std::size_t messages_max, std::chrono::milliseconds patience,
    std::chrono::steady_clock::time_point gather_until) {
    impl& my = *impl_;
    if (!my.link_) {
        if (auto ok = my.connect(); !ok) return std::unexpected(ok.error());
    }
    const auto until = clock::now() + patience;
    for (;;) {
        if (auto ok = my.look_if_quiet(); !ok) return std::unexpected(ok.error());
        if (auto ok = my.read_frames(messages_max); !ok) return std::unexpected(ok.error());
        const auto now = clock::now();
        const bool some = !my.gathered_.empty();
        if (some && (my.gathered_.size() >= messages_max || now >= gather_until)) break;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>((some ? gather_until : until) - now);
        if (left <= 0ms) break;
        if (my.wakeup_.wait(my.link_->fd(), false, std::min(left, my.settings_.heartbeat / 4)))
            break;
    }
    if (my.gathered_.size() <= messages_max) return std::exchange(my.gathered_, {});
    const auto end = my.gathered_.begin() + static_cast<std::ptrdiff_t>(messages_max);
    std::vector<delivery> taken(std::move_iterator(my.gathered_.begin()), std::move_iterator(end));
    my.gathered_.erase(my.gathered_.begin(), end);
    return taken;
}

std::expected<void, std::string> consumer::acknowledge_up_to(std::uint64_t tag) {
    if (auto ok = impl_->usable(tag); !ok) return ok;
    const auto number = impl_->tags_.settle_up_to(tag);
    if (!number) return {};
    if (auto ok = impl_->link_->acknowledge_up_to(*number); !ok)
        return std::unexpected(impl_->drop(ok.error()));
    return {};
}

std::expected<void, std::string> consumer::dead_letter(std::uint64_t tag) {
    if (auto ok = impl_->usable(tag); !ok) return ok;
    const auto number = impl_->tags_.settle_one(tag);
    if (!number) return {};
    if (auto ok = impl_->link_->reject(*number); !ok)
        return std::unexpected(impl_->drop(ok.error()));
    metrics::dead_lettered.add();
    return {};
}

bool consumer::keep_alive() {
    return impl_->link_ && impl_->read_frames(SIZE_MAX);
}

std::uint64_t consumer::incarnation() const {
    return impl_->incarnation_;
}

link_state consumer::state() const {
    return impl_->state_;
}

std::string consumer::fault() const {
    const std::lock_guard lock(impl_->fault_mutex_);
    return impl_->fault_;
}

void consumer::interrupt() {
    impl_->wakeup_.signal();
}

void consumer::close() {
    if (!impl_->link_) return;
    impl_->link_->close(farewell_patience);
    impl_->forget();
    impl_->become(link_state::down, "closed");
}

}  // namespace flashsale::amqp
