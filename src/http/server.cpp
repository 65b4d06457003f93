#include <spdlog/spdlog.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/post.hpp>
#include <stdexcept>

#include "worker_loop.hpp"

namespace flashsale::http {

namespace {

constexpr std::chrono::milliseconds accept_retry_interval{50};
/// Beyond connections_max a client still gets its 503, and a second to read it; beyond this many
/// such clients at once, connections are closed unanswered.
constexpr std::size_t refusals_max = 256;

bool is_exhaustion(const boost::system::error_code& ec) {
    namespace errc = boost::system::errc;
    return ec == errc::too_many_files_open || ec == errc::too_many_files_open_in_system ||
           ec == errc::no_buffer_space || ec == errc::not_enough_memory;
}

/// Of a client that came by IPv4 to a socket for both families, its IPv4 address.
asio::ip::address plain(const asio::ip::address& from) {
    if (!from.is_v6() || !from.to_v6().is_v4_mapped()) return from;
    return asio::ip::make_address_v4(asio::ip::v4_mapped, from.to_v6());
}

}  // namespace

bool is_address(std::string_view text) {
    boost::system::error_code unparsed;
    asio::ip::make_address(text, unparsed);
    return !unparsed;
}

struct server::state : std::enable_shared_from_this<server::state> {
    state(const limits& limits, const std::vector<worker>& workers)
        : bounds(limits), acceptor(workers.at(0).io), retry_timer(workers.at(0).io) {
        for (const worker& each : workers) {
            loops.push_back(std::make_shared<worker_loop>(each, bounds, count));
        }
    }

    void listen(std::string_view address, std::uint16_t port) {
        const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address), port);
        acceptor.open(endpoint.protocol());
        acceptor.set_option(asio::socket_base::reuse_address(true));
        acceptor.bind(endpoint);
        acceptor.listen(asio::socket_base::max_listen_connections);
        bound_port = acceptor.local_endpoint().port();
    }

    void accept() {
        const auto& loop = loops[next];
        next = (next + 1) % loops.size();
        acceptor.async_accept(loop->io().get_executor(), accepted_from,
                              [self = shared_from_this(), loop](const boost::system::error_code& ec,
                                                                tcp_socket socket) {
                                  self->on_accept(ec, std::move(socket), loop);
                              });
    }

    void on_accept(const boost::system::error_code& ec, tcp_socket socket,
                   const std::shared_ptr<worker_loop>& loop) {
        if (!acceptor.is_open()) return;
        if (ec) {
            accept_errors_total.add();
            return is_exhaustion(ec) ? accept_later(ec) : accept();
        }
        exhausted = false;
        hand_over(std::move(socket), loop);
        accept();
    }

    void hand_over(tcp_socket socket, const std::shared_ptr<worker_loop>& loop) {
        connections_total.add();
        const std::size_t before = count->open.fetch_add(1, std::memory_order_relaxed);
        const bool refused = before >= bounds.connections_max;
        if (refused) connections_refused_total.add();
        if (before >= bounds.connections_max + refusals_max) {
            count->open.fetch_sub(1, std::memory_order_relaxed);
            return;
        }
        asio::post(loop->io(), [loop, refused, client = plain(accepted_from.address()),
                                socket = std::move(socket)]() mutable {
            loop->adopt(std::move(socket), client, refused);
        });
    }

    /// A pending connection keeps the listening socket readable: without a pause this would spin.
    void accept_later(const boost::system::error_code& why) {
        if (!std::exchange(exhausted, true)) {
            spdlog::warn("http: cannot accept connections: {}", why.message());
        }
        retry_timer.expires_after(accept_retry_interval);
        retry_timer.async_wait([self = shared_from_this()](const boost::system::error_code& ec) {
            if (!ec && self->acceptor.is_open()) self->accept();
        });
    }

    void stop_accepting() {
        boost::system::error_code ignored;
        acceptor.close(ignored);
        retry_timer.cancel();
        accepting = false;
    }

    /// On the thread of each worker.
    void each_loop(void (worker_loop::*call)()) {
        for (const auto& loop : loops) {
            asio::post(loop->io(), [loop, call] { ((*loop).*call)(); });
        }
    }

    limits bounds;  ///< on the first worker's thread, once it runs
    const std::shared_ptr<connection_count> count = std::make_shared<connection_count>();
    std::vector<std::shared_ptr<worker_loop>> loops;
    asio::basic_socket_acceptor<asio::ip::tcp, executor> acceptor;
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, executor>
        retry_timer;
    asio::ip::tcp::endpoint accepted_from;
    std::uint16_t bound_port = 0;
    std::size_t next = 0;
    bool exhausted = false;
    std::atomic<bool> accepting{true};
};

server::server(std::string_view address, std::uint16_t port, const limits& bounds,
               const std::vector<worker>& workers) {
    if (workers.empty()) throw std::invalid_argument("an HTTP server needs at least one worker");
    state_ = std::make_shared<state>(bounds, workers);
    state_->listen(address, port);
}

server::~server() {
    abort();
}

std::uint16_t server::port() const {
    return state_->bound_port;
}

void server::set_limits(const limits& bounds) {
    asio::post(state_->loops.front()->io(), [state = state_, bounds] { state->bounds = bounds; });
    for (const auto& loop : state_->loops)
        asio::post(loop->io(), [loop, bounds] { loop->set_bounds(bounds); });
}

void server::start() {
    state_->each_loop(&worker_loop::start);
    asio::post(state_->loops.front()->io(), [state = state_] { state->accept(); });
}

void server::stop() {
    asio::post(state_->loops.front()->io(), [state = state_] { state->stop_accepting(); });
    state_->each_loop(&worker_loop::stop);
}

bool server::drained() const {
    return !state_->accepting && state_->count->open.load(std::memory_order_relaxed) == 0;
}

void server::abort() {
    asio::post(state_->loops.front()->io(), [state = state_] { state->stop_accepting(); });
    state_->each_loop(&worker_loop::abort);
}

}  // namespace flashsale::http
