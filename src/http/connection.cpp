// How it works: what is read is parsed as far as it goes (request_reader), each request takes a
// slot in the ring and is dispatched at once, and answers are rendered into out_ in the order of
// the slots (answer_ring). pump() is the one place where this happens: parse, write, and again
// while the ring's limit, not the lack of bytes, is what stopped the parsing.
//
// The socket is read and written here, by plain calls; the loop's poller tells when. A read that
// brings less than there was room for has emptied the socket, so a request costs one read and one
// write. What is not wanted yet stays in the kernel, and readable_ says so. Only what the kernel
// does not take of an answer waits for room.
//
// Answers given while pump() runs leave at its end. Those that come later, from a batch say, mark
// the connection, and the loop writes once for all of them at the end of its turn.
//
// An idle connection keeps no buffer, a ring of no slots, and no output.
//
// Deadlines are set from the loop's clock, which its sweep advances, and are not moved by bytes:
// that of a request stands until the request is complete, that of a write until all of it is
// written.

#include "connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>

#include "worker_loop.hpp"

namespace flashsale::http {

namespace {

constexpr std::size_t in_bytes_min = 1'024;
constexpr std::size_t out_bytes_kept_max = 1'024;
/// With this much unwritten no further request is begun.
constexpr std::size_t out_bytes_max = 65'536;
constexpr std::chrono::milliseconds linger_timeout{1'000};
/// Then it is the others' turn, however much one client sends.
constexpr int reads_at_once_max = 16;

/// As ::send, but never interrupted.
ssize_t send_some(int descriptor, std::string_view bytes) {
    ssize_t sent;
    do {
        sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent;
}

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

connection::connection(int descriptor, asio::ip::address client, worker_loop& loop)
    : descriptor_(descriptor), client_(client), loop_(&loop), reader_(loop.bounds()) {}

connection::~connection() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void connection::start() {
    const int on = 1;
    if (::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return close();
    set_deadline();
    if (!watch()) close();
}

void connection::refuse() {
    if (!watch()) return close();
    answer_last(problems::overloaded);
}

bool connection::watch() {
    return !loop_->readiness().watch(descriptor_, *this);
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
    loop_->readiness().forget(*this);
    ::close(std::exchange(descriptor_, -1));
    ring_.clear();
    std::exchange(loop_, nullptr)->remove(*this);
}

void connection::answer(std::uint64_t slot, response&& value) {
    if (phase_ != phase::open) return;
    if (value.stream) return answer_with_stream(slot, value);
    if (ring_.answer(slot, value, loop_->lines(), out_)) answered(value.status);
}

/// Something is in out_, or will be.
void connection::answered(unsigned status) {
    loop_->counted.count_answer(status);
    flush_at_end_of_turn();
}

void connection::flush_at_end_of_turn() {
    if (dispatching_ || in_turn_) return;
    in_turn_ = true;
    loop_->flush_at_end_of_turn(shared_from_this());
}

std::string connection::request_name(std::uint64_t slot) const {
    auto name = phase_ == phase::open ? ring_.name_of(slot) : std::nullopt;
    if (!name) return {};
    name->prefix = loop_->lines().prefix();
    return name->to_string();
}

void connection::flush_turn() {
    in_turn_ = false;
    if (phase_ != phase::open) return;
    flush();
    if (phase_ != phase::open || !paused_ || !has_room()) return;
    pump();
    read();
}

void connection::ready(std::uint32_t epoll_events) {
    const auto self = shared_from_this();
    const bool over = (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (over) peer_finishes_ = true;
    if (over || (epoll_events & EPOLLIN) != 0) readable_ = true;
    // A client that reads a stream may send nothing for hours, and get nothing for as long.
    if (ring_.is_streaming() && (epoll_events & (EPOLLHUP | EPOLLERR)) != 0) return close();
    if (writing_ && (over || (epoll_events & EPOLLOUT) != 0)) write_rest();
    read();
}

bool connection::wants_to_read() const {
    return phase_ == phase::lingering || (phase_ == phase::open && !paused_ && !last_request_read_);
}

/// Until nothing is left, or nothing more is wanted.
void connection::read() {
    for (int reads = 0; readable_ && wants_to_read(); ++reads) {
        if (reads < reads_at_once_max) {
            receive();
        } else if (!std::exchange(read_posted_, true)) {
            return asio::post(loop_->io(), [self = shared_from_this()] {
                self->read_posted_ = false;
                self->read();
            });
        } else {
            return;
        }
    }
}

void connection::receive() {
    if (in_filled_ == in_capacity_) resize_buffer(std::max(in_bytes_min, in_capacity_ * 2));
    const std::size_t room = in_capacity_ - in_filled_;
    const ssize_t bytes = ::recv(descriptor_, in_.get() + in_filled_, room, 0);
    if (bytes < 0) {
        if (errno == EINTR) return;
        readable_ = false;
        if (!would_block()) close();
        return;
    }
    if (bytes == 0) return received_end();
    readable_ = static_cast<std::size_t>(bytes) == room || peer_finishes_;
    if (phase_ == phase::lingering) return;
    in_filled_ += static_cast<std::size_t>(bytes);
    pump();
}

void connection::received_end() {
    if (phase_ == phase::lingering) return close();
    // The peer may have closed its half only, and still wait for its answers.
    readable_ = false;
    peer_finished_ = true;
    last_request_read_ = true;
    in_filled_ = 0;
    pump();
}

void connection::pump() {
    do {
        parse();
        flush();
    } while (phase_ == phase::open && paused_ && has_room());
    if (phase_ == phase::open) loop_->counted.publish();
}

bool connection::has_room() const {
    return !last_request_read_ && !writing_ && !ring_.is_streaming() &&
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
    if (found.incoming.name.taken.empty()) found.incoming.name = loop_->make_name();
    answer_form form{.close = close, .head_only = found.head_only, .http_1_0 = found.http_1_0};
    if (loop_->cors().is_used()) let_in(found.incoming, form);
    const std::uint64_t slot = ring_.push(form, found.incoming.name);
    found.incoming.client = client_;
    if (found.refused) {
        answer(slot, problem(*found.refused->type, found.refused->detail, found.refused->field));
    } else {
        loop_->routes().dispatch(found.incoming, exchange(shared_from_this(), slot));
    }
}

/// By its origin.
void connection::let_in(request& incoming, answer_form& form) const {
    const auto verdict = loop_->cors().of(incoming.headers[header::origin]);
    form.cors = verdict.lines;
    incoming.preflight = verdict.let_in && incoming.verb == method::options &&
                         incoming.headers.has(header::access_control_request_method);
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
    if (ring_.is_streaming()) ask_for_piece();
    if (last_request_read_ && is_quiet()) finish();
}

void connection::write() {
    const ssize_t sent = send_some(descriptor_, out_);
    if (sent < 0 && !would_block()) return close();
    const std::size_t written = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    if (written == out_.size()) return out_.clear();
    // Later answers gather in out_.
    unwritten_ = std::exchange(out_, {});
    written_ = written;
    writing_ = true;
    write_deadline_ = loop_->after(loop_->bounds().write_timeout);
}

void connection::write_rest() {
    const auto rest = std::string_view(unwritten_).substr(written_);
    const ssize_t sent = send_some(descriptor_, rest);
    if (sent < 0) return would_block() ? void() : close();
    written_ += static_cast<std::size_t>(sent);
    if (written_ < unwritten_.size()) return;  // as much as there was room for
    unwritten_ = {};
    writing_ = false;
    write_deadline_ = never;
    flush_turn();
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
    if (phase_ == phase::open && awaited_ == awaited::idle) {
        if (std::exchange(seen_idle_, true)) release_memory();
    }
}

void connection::release_memory() {
    ring_.release();
    reader_.release_memory();
    if (out_.capacity() > out_bytes_kept_max) out_ = {};
    in_.reset();
    in_capacity_ = 0;
}

void connection::time_out() {
    if (phase_ == phase::lingering) return close();
    if (awaited_ == awaited::idle) return finish();
    timeouts_total.add();
    answer_last(problems::request_timeout);
}

void connection::answer_last(const problem_type& type) {
    last_request_read_ = true;
    dispatching_ = true;
    answer_form form{.close = true};
    if (loop_->cors().is_used()) form.cors = loop_->cors().of({}).lines;
    answer(ring_.push(form, loop_->make_name()), problem(type));
    dispatching_ = false;
    loop_->counted.publish();
    flush();
}

void connection::finish() {
    // Closing with bytes unread would send a reset, and the reset could overtake the last answer at
    // the client: so end our half, then read until the client ends its own.
    if (::shutdown(descriptor_, SHUT_WR) != 0 || peer_finished_) return close();
    phase_ = phase::lingering;
    in_filled_ = 0;
    read_deadline_ = loop_->after(linger_timeout);
    read();
}

}  // namespace flashsale::http
