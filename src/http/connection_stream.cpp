// How a connection sends a body that is made piece by piece: one piece is asked for when nothing of
// the last is left here, and leaves at the end of its turn of the loop, so that a source that
// always has the next one ready delays no other connection. While it goes on, no further request is
// begun.
//
// The deadline is that of every write: a piece that its client has not read by then ends the
// connection. A source that fails ends it too, without the last chunk, or, where the end of the
// connection is the end of the body, with a reset: a body that is cut off must not look whole.

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "connection.hpp"
#include "worker_loop.hpp"

namespace flashsale::http {

void connection::answer_with_stream(std::uint64_t slot, const response& value) {
    if (!ring_.is_open(slot)) return;
    if (ring_.is_head_only(slot)) {
        ring_.answer(slot, value, loop_->lines(), out_);
        return answered(value.status);
    }
    auto begun = loop_->begin_stream(value.stream);
    if (!begun) {
        streams_refused_total.add();
        const response refused = problem(problems::overloaded);
        ring_.answer(slot, refused, loop_->lines(), out_);
        return answered(refused.status);
    }
    ring_.answer(slot, value, loop_->lines(), out_, std::move(begun));
    answered(value.status);
}

void connection::ask_for_piece() {
    if (asked_ || writing_ || !out_.empty()) return;
    asked_ = true;
    // A piece that comes at once may end the stream.
    const auto source = ring_.source();
    source->next([client = weak_from_this()](body_piece piece) {
        if (const auto self = client.lock()) self->take_piece(std::move(piece));
    });
}

void connection::take_piece(body_piece piece) {
    if (phase_ != phase::open) return;
    asked_ = false;
    if (!piece) {
        streams_failed_total.add();
        auto name = ring_.stream_name();
        name.prefix = loop_->lines().prefix();
        spdlog::error("http: request {}: its answer is cut off: {}", name.to_string(),
                      piece.error());
        const linger reset{.l_onoff = 1, .l_linger = 0};
        if (ring_.ends_with_connection())
            ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        return close();
    }
    if (!piece->empty()) {
        ring_.append_piece(out_, *piece);
    } else {
        if (ring_.ends_with_connection()) last_request_read_ = true;
        ring_.end_stream(out_);
    }
    flush_at_end_of_turn();
}

}  // namespace flashsale::http
