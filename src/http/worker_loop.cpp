#include "worker_loop.hpp"

#include <boost/asio/post.hpp>
#include <random>

namespace flashsale::http {

namespace {

/// Random for each worker: neither threads nor processes share a sequence of request ids.
std::string make_name_prefix() {
    std::random_device random;
    const std::uint64_t bits = std::uint64_t{random()} << 32 | random();
    std::array<char, 14> text{};
    std::snprintf(text.data(), text.size(), "%012llx-",
                  static_cast<unsigned long long>(bits >> 16));
    return {text.data()};
}

}  // namespace

worker_loop::worker_loop(const worker& owner, const limits& bounds,
                         std::shared_ptr<connection_count> count)
    : owner_(owner),
      bounds_(bounds),
      cors_(bounds.cors_origins),
      count_(std::move(count)),
      readiness_(owner.io),
      sweep_timer_(owner.io),
      now_(std::chrono::steady_clock::now()),
      lines_(make_name_prefix()) {
    lines_.set_date(std::chrono::system_clock::now());
}

worker_loop::~worker_loop() {
    // Exchanges may hold connections for longer than this.
    abort();
}

void worker_loop::start() {
    wait_for_sweep();
}

void worker_loop::stop() {
    if (std::exchange(stopping_, true)) return;
    for (const auto& each : std::vector(connections_))
        each->stop();
    if (connections_.empty()) end();
}

void worker_loop::abort() {
    stopping_ = true;
    while (!connections_.empty())
        std::shared_ptr(connections_.back())->close();
    end();
}

/// The io_context may run out of work now.
void worker_loop::end() {
    sweep_timer_.cancel();
    readiness_.stop();
}

void worker_loop::adopt(tcp_socket socket, const asio::ip::address& client, bool refused) {
    if (stopping_) {
        count_->open.fetch_sub(1, std::memory_order_relaxed);
        return;
    }
    boost::system::error_code ec;
    socket.non_blocking(true, ec);
    const int descriptor = ec ? -1 : socket.release(ec);
    if (ec) {
        count_->open.fetch_sub(1, std::memory_order_relaxed);
        return;
    }
    auto made = std::make_shared<connection>(descriptor, client, *this);
    made->index = connections_.size();
    connections_.push_back(made);
    connections_open.add(1);
    refused ? made->refuse() : made->start();
}

void worker_loop::remove(connection& closed) {
    const std::size_t index = closed.index;
    connections_.back()->index = index;
    // Kept alive by the caller of connection::close().
    std::swap(connections_[index], connections_.back());
    connections_.pop_back();
    connections_open.add(-1);
    count_->open.fetch_sub(1, std::memory_order_relaxed);
    if (stopping_ && connections_.empty()) end();
}

void worker_loop::flush_at_end_of_turn(std::shared_ptr<connection> answered) {
    if (answered_.empty()) {
        // Behind every handler that is ready by now: their answers go out together.
        asio::post(owner_.io, [self = shared_from_this()] { self->flush_turn(); });
    }
    answered_.push_back(std::move(answered));
}

void worker_loop::flush_turn() {
    std::swap(answered_, flushing_);
    for (const auto& each : flushing_)
        each->flush_turn();
    flushing_.clear();
    counted.publish();
}

void worker_loop::wait_for_sweep() {
    sweep_timer_.expires_after(sweep_interval);
    sweep_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
        if (!ec) self->sweep();
    });
}

void worker_loop::sweep() {
    now_ = std::chrono::steady_clock::now();
    lines_.set_date(std::chrono::system_clock::now());
    // Backwards: a connection that closes is replaced by the last, which has been seen.
    for (std::size_t i = connections_.size(); i-- > 0;) {
        const auto each = connections_[i];
        each->check_deadlines(now_);
    }
    counted.publish();
    if (!stopping_ || !connections_.empty()) wait_for_sweep();
}

}  // namespace flashsale::http
