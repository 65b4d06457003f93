// How it works: what is read is parsed as far as it goes (request_reader), each request takes a
// slot in the ring and is dispatched at once, and answers are rendered into out_ in the order of
// the slots (answer_ring). pump() is the one place where this happens: parse, write, and again
// while the ring's limit, not the lack of bytes, is what stopped the parsing.
//
// Writing is tried directly, and only what the kernel does not take waits in an asynchronous write.
// Answers given while pump() runs leave at its end. Those that come later, from a batch say, mark
// the connection, and the loop writes once for all of them at the end of its turn.
//
// The read buffer is never moved while a read is pending: parse() runs only from on_read() and,
// when paused_, from the flush, and a paused connection does not read. An idle connection keeps a
// small buffer, a ring of no slots, and no output.
//
// Deadlines are set from the loop's clock, which its sweep advances, and are not moved by bytes:
// that of a request stands until the request is complete, that of a write until all of it is
// written.

#include "connection.hpp"

#include <boost/asio/buffer.hpp>
#include <cstring>

#include "worker_loop.hpp"

namespace flashsale::http {

using boost::system::error_code;

namespace {

constexpr std::size_t in_bytes_min = 1'024;
constexpr std::size_t out_bytes_kept_max = 1'024;
/// With this much unwritten no further request is begun.
constexpr std::size_t out_bytes_max = 65'536;
constexpr std::chrono::milliseconds linger_timeout{1'000};

}  // namespace

connection::connection(tcp_socket socket, worker_loop& loop)
    : socket_(std::move(socket)), loop_(&loop), reader_(loop.bounds()) {}

void connection::start() {
    error_code ec;
    socket_->non_blocking(true, ec);
    if (!ec) socket_->set_option(asio::ip::tcp::no_delay(true), ec);
    if (ec) return close();
    set_deadline();
    read();
}

void connection::refuse() {
    error_code ec;
    socket_->non_blocking(true, ec);
    if (ec) return close();
    answer_last(problem_code::overloaded);
}

void connection::stop() {
    if (phase_ != phase::open) return;
    if (!is_quiet()) {
        last_request_read_ = true;
        ring_.close_newest();
        set_deadline();
    } else if (in_filled_ == 0) {
        finish();
    }
    // Else a request has begun; it may complete, and its answer will say close.
}

void connection::close() {
    if (phase_ == phase::closed) return;
    const auto self = shared_from_this();
    phase_ = phase::closed;
    error_code ignored;
    socket_->close(ignored);
    socket_.reset();
    std::exchange(loop_, nullptr)->remove(*this);
}

void connection::answer(std::uint64_t slot, response&& value) {
    if (phase_ != phase::open) return;
    if (!ring_.answer(slot, value, loop_->date_line(), out_)) return;
    loop_->counted.count_answer(value.status);
    if (dispatching_ || in_turn_) return;
    in_turn_ = true;
    loop_->flush_at_end_of_turn(shared_from_this());
}

void connection::flush_turn() {
    in_turn_ = false;
    if (phase_ != phase::open) return;
    flush();
    if (phase_ == phase::open && paused_ && has_room()) pump();
}

void connection::pump() {
    do {
        parse();
        flush();
    } while (phase_ == phase::open && paused_ && has_room());
    if (phase_ != phase::open) return;
    loop_->counted.publish();
    if (!paused_ && !last_request_read_ && !reading_) read();
}

bool connection::has_room() const {
    return !last_request_read_ && !writing_ &&
           ring_.size() < loop_->bounds().pipelined_requests_max && out_.size() < out_bytes_max;
}

void connection::parse() {
    std::size_t done = 0;
    paused_ = false;
    dispatching_ = true;
    while (done < in_filled_ && !last_request_read_) {
        if (!has_room()) {
            paused_ = true;
            break;
        }
        parsed_request found;
        const bool complete = reader_.read({in_.get() + done, in_filled_ - done}, found);
        if (complete) dispatch(found);
        done += found.bytes;
        if (!complete) break;
    }
    dispatching_ = false;
    if (last_request_read_) done = in_filled_;
    in_filled_ -= done;
    if (done != 0 && in_filled_ != 0) std::memmove(in_.get(), in_.get() + done, in_filled_);
}

void connection::dispatch(parsed_request& found) {
    ++requests_;
    ++loop_->counted.requests;
    progressed_ = true;
    const bool close = !found.keep_alive || loop_->stopping() ||
                       requests_ >= loop_->bounds().requests_per_connection_max;
    last_request_read_ = close;
    const std::uint64_t slot =
        ring_.push({.close = close, .head_only = found.head_only, .http_1_0 = found.http_1_0});
    if (found.refused) {
        answer(slot, problem(found.refused->code, found.refused->detail, found.refused->field));
    } else {
        loop_->routes().dispatch(found.incoming, exchange(shared_from_this(), slot));
    }
}

void connection::flush() {
    if (!writing_) {
        if (reader_.continue_wanted() && ring_.empty() && !last_request_read_) {
            out_.append(continue_answer);
            reader_.continue_sent();
        }
        if (!out_.empty()) write();
    }
    if (phase_ != phase::open) return;
    set_deadline();
    if (last_request_read_ && is_quiet()) finish();
}

void connection::write() {
    error_code ec;
    const std::size_t written = socket_->write_some(asio::buffer(out_), ec);
    if (ec && ec != asio::error::would_block && ec != asio::error::try_again) return close();
    if (written == out_.size()) return out_.clear();
    // Later answers gather in out_, which moves as it grows.
    unwritten_ = std::exchange(out_, {});
    unwritten_.erase(0, written);
    writing_ = true;
    write_deadline_ = loop_->after(loop_->bounds().write_timeout);
    write_rest(0);
}

void connection::write_rest(std::size_t done) {
    socket_->async_write_some(
        asio::buffer(unwritten_.data() + done, unwritten_.size() - done),
        [self = shared_from_this(), done](const error_code& ec, std::size_t bytes) {
            if (self->phase_ == phase::closed) return;
            if (ec) return self->close();
            if (done + bytes < self->unwritten_.size()) return self->write_rest(done + bytes);
            self->unwritten_ = {};
            self->writing_ = false;
            self->write_deadline_ = never;
            self->flush_turn();
        });
}

void connection::read() {
    reading_ = true;
    if (in_filled_ == in_capacity_) resize_buffer(std::max(in_bytes_min, in_capacity_ * 2));
    socket_->async_read_some(asio::buffer(in_.get() + in_filled_, in_capacity_ - in_filled_),
                             [self = shared_from_this()](const error_code& ec, std::size_t bytes) {
                                 self->on_read(ec, bytes);
                             });
}

void connection::on_read(const error_code& ec, std::size_t bytes) {
    reading_ = false;
    if (phase_ == phase::closed) return;
    if (std::exchange(shrinking_, false) && ec == asio::error::operation_aborted) {
        resize_buffer(in_bytes_min);
        return read();
    }
    if (phase_ == phase::lingering) return ec ? close() : read();
    if (ec && ec != asio::error::eof) return close();
    if (ec) {
        // The peer may have closed its half only, and still wait for its answers.
        peer_finished_ = true;
        last_request_read_ = true;
        in_filled_ = 0;
    }
    if (!last_request_read_) in_filled_ += bytes;
    pump();
}

void connection::resize_buffer(std::size_t bytes) {
    auto wider = std::make_unique_for_overwrite<char[]>(bytes);
    if (in_filled_ != 0) std::memcpy(wider.get(), in_.get(), in_filled_);
    in_ = std::move(wider);
    in_capacity_ = bytes;
}

void connection::set_deadline() {
    const auto waits_for = last_request_read_ || paused_ ? awaited::nothing
                           : in_filled_ != 0             ? awaited::request
                           : is_quiet()                  ? awaited::idle
                                                         : awaited::nothing;
    if (waits_for == awaited_ && !progressed_) return;
    awaited_ = waits_for;
    progressed_ = false;
    seen_idle_ = false;
    const limits& bounds = loop_->bounds();
    read_deadline_ = waits_for == awaited::nothing   ? never
                     : waits_for == awaited::request ? loop_->after(bounds.request_timeout)
                                                     : loop_->after(bounds.idle_timeout);
}

void connection::check_deadlines(std::chrono::steady_clock::time_point now) {
    if (now >= write_deadline_) {
        timeouts_total.add();
        return close();
    }
    if (now >= read_deadline_) return time_out();
    if (phase_ == phase::open && awaited_ == awaited::idle && reading_) {
        if (std::exchange(seen_idle_, true)) release_memory();
    }
}

void connection::release_memory() {
    ring_.release();
    if (out_.capacity() > out_bytes_kept_max) out_ = {};
    if (in_capacity_ <= in_bytes_min) return;
    // The pending read owns the buffer; it is started again with a small one.
    shrinking_ = true;
    error_code ignored;
    socket_->cancel(ignored);
}

void connection::time_out() {
    if (phase_ == phase::lingering) return close();
    if (awaited_ == awaited::idle) return finish();
    timeouts_total.add();
    answer_last(problem_code::request_timeout);
}

void connection::answer_last(problem_code code) {
    last_request_read_ = true;
    dispatching_ = true;
    answer(ring_.push({.close = true}), problem(code));
    dispatching_ = false;
    loop_->counted.publish();
    flush();
}

void connection::finish() {
    // Closing with bytes unread would send a reset, and the reset could overtake the last answer at
    // the client: so end our half, then read until the client ends its own.
    error_code ec;
    socket_->shutdown(tcp_socket::shutdown_send, ec);
    if (ec || peer_finished_) return close();
    phase_ = phase::lingering;
    in_filled_ = 0;
    read_deadline_ = loop_->after(linger_timeout);
    if (!reading_) read();
}

}  // namespace flashsale::http
