// Two pumps a connection, one each way: read, wait while held, swallow or delay, write. A pump
// looks at the settings for each piece, all on the proxy's one thread.

#include "fault_proxy.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <flashsale/base/async.hpp>
#include <future>
#include <random>
#include <thread>
#include <vector>

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto no_throw = asio::as_tuple(use_awaitable);
constexpr auto held_look = 2ms;
constexpr auto slice_pause = std::chrono::microseconds{50};

struct link {
    explicit link(asio::io_context& io) : client(io), server(io) {}

    tcp::socket client;
    tcp::socket server;
    bool gone = false;
    int pumps_ended = 0;
    bool asked = false;  ///< a request had the bytes that are looked for, and has no answer yet

    /// Answers with a reset, as a peer that died does.
    void reset() {
        gone = true;
        for (tcp::socket* one : {&client, &server}) {
            error_code ignored;
            one->set_option(asio::socket_base::linger(true, 0), ignored);
            one->close(ignored);
        }
    }
};

}  // namespace

struct fault_proxy::state {
    state(std::string host, std::uint16_t port)
        : target(asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host), port) {
        listen();
        thread = std::thread([this] { io.run(); });
    }

    ~state() {
        io.stop();
        thread.join();
    }

    // ---- the proxy's thread

    void listen() {
        acceptor.open(tcp::v4());
        acceptor.set_option(tcp::acceptor::reuse_address(true));
        if (listening_port == 0) {
            choose_port();
        } else {
            acceptor.bind({asio::ip::address_v4::loopback(), listening_port});
        }
        acceptor.listen();
        asio::co_spawn(io, accept(), asio::detached);
    }

    /// One that the kernel gives to no client that connects: while closed, it must stay free.
    void choose_port() {
        std::random_device source;
        std::uniform_int_distribution<unsigned> pick(10'000, 31'999);
        error_code taken;
        do {
            listening_port = static_cast<std::uint16_t>(pick(source));
            acceptor.bind({asio::ip::address_v4::loopback(), listening_port}, taken);
        } while (taken);
    }

    awaitable<void> accept() {
        for (;;) {
            auto made = std::make_shared<link>(io);
            const auto [fault] = co_await acceptor.async_accept(made->client, no_throw);
            if (fault == asio::error::operation_aborted) co_return;
            if (!fault) asio::co_spawn(io, carry(std::move(made)), asio::detached);
        }
    }

    awaitable<void> carry(std::shared_ptr<link> on) {
        std::erase_if(links, [](const auto& one) { return one.expired(); });
        links.push_back(on);
        const auto [fault] = co_await on->server.async_connect(target, no_throw);
        if (fault) co_return on->reset();
        error_code ignored;
        on->client.set_option(tcp::no_delay(true), ignored);
        on->server.set_option(tcp::no_delay(true), ignored);
        asio::co_spawn(io, pump(on, true), asio::detached);
        asio::co_spawn(io, pump(on, false), asio::detached);
    }

    awaitable<void> pause(std::chrono::steady_clock::duration time) {
        asio::steady_timer timer(io, time);
        co_await timer.async_wait(no_throw);
    }

    awaitable<void> pump(std::shared_ptr<link> on, bool replies) {
        tcp::socket& from = replies ? on->server : on->client;
        tcp::socket& to = replies ? on->client : on->server;
        const bool& held = replies ? replies_held : requests_held;
        std::vector<char> bytes(65'536);
        while (!on->gone) {
            const auto [fault, size] = co_await from.async_read_some(asio::buffer(bytes), no_throw);
            while (held && !on->gone)
                co_await pause(held_look);
            if (on->gone) co_return;
            if (fault == asio::error::eof) break;
            if (fault) co_return on->reset();
            const std::string_view piece(bytes.data(), size);
            if (replies && swallows(*on)) {
                ++swallowed;
                co_return on->reset();
            }
            if (!replies && piece.find(looked_for) != std::string_view::npos) on->asked = true;
            if (each_way > 0ms) co_await pause(each_way);
            if (!co_await forward(*on, to, piece)) co_return on->reset();
        }
        error_code ignored;
        to.shutdown(tcp::socket::shutdown_send, ignored);
        if (++on->pumps_ended == 2) on->reset();
    }

    awaitable<bool> forward(link& on, tcp::socket& to, std::string_view piece) {
        while (!piece.empty()) {
            const auto size = slice_bytes > 0 ? std::min(slice_bytes, piece.size()) : piece.size();
            const auto [fault, sent] =
                co_await asio::async_write(to, asio::buffer(piece.substr(0, size)), no_throw);
            if (fault || on.gone) co_return false;
            piece.remove_prefix(sent);
            if (slice_bytes > 0) co_await pause(slice_pause);
            if (bytes_per_second > 0)
                co_await pause(std::chrono::nanoseconds(1s) * sent / bytes_per_second);
        }
        co_return true;
    }

    bool swallows(link& on) {
        if (!std::exchange(on.asked, false)) return false;
        if (replies_until_cut > 0 && --replies_until_cut == 0) return true;
        return share > 0 && std::uniform_real_distribution<>(0, 1)(random) < share;
    }

    template <class Change>
    void for_each_link(Change change) {
        for (const auto& one : links) {
            if (const auto alive = one.lock(); alive && !alive->gone) change(*alive);
        }
    }

    // ---- any thread

    void on_thread(std::function<void()> change) {
        std::promise<void> done;
        asio::post(io, [&] {
            change();
            done.set_value();
        });
        done.get_future().get();
    }

    asio::io_context io{1};
    asio::executor_work_guard<executor> work{io.get_executor()};
    tcp::acceptor acceptor{io};
    std::uint16_t listening_port = 0;
    tcp::endpoint target;
    std::vector<std::weak_ptr<link>> links;

    std::chrono::milliseconds each_way{0};
    std::size_t slice_bytes = 0;
    std::size_t bytes_per_second = 0;
    bool requests_held = false;
    bool replies_held = false;
    double share = 0;
    std::uint64_t replies_until_cut = 0;
    std::string looked_for;
    std::minstd_rand random{20'261'123};

    std::atomic<std::uint64_t> swallowed{0};
    std::thread thread;
};

fault_proxy::fault_proxy(std::string host, std::uint16_t port)
    : state_(std::make_unique<state>(std::move(host), port)) {}
fault_proxy::~fault_proxy() = default;

std::uint16_t fault_proxy::port() const {
    return state_->listening_port;
}

void fault_proxy::delay(std::chrono::milliseconds each_way) {
    state_->on_thread([&] { state_->each_way = each_way; });
}

void fault_proxy::slice(std::size_t bytes_max) {
    state_->on_thread([&] { state_->slice_bytes = bytes_max; });
}

void fault_proxy::limit(std::size_t bytes_per_second) {
    state_->on_thread([&] { state_->bytes_per_second = bytes_per_second; });
}

void fault_proxy::hold_requests(bool on) {
    state_->on_thread([&] { state_->requests_held = on; });
}

void fault_proxy::hold_replies(bool on) {
    state_->on_thread([&] { state_->replies_held = on; });
}

void fault_proxy::black_hole(bool on) {
    state_->on_thread([&] { state_->requests_held = state_->replies_held = on; });
}

void fault_proxy::cut() {
    state_->on_thread([&] { state_->for_each_link([](link& one) { one.reset(); }); });
}

void fault_proxy::half_close() {
    state_->on_thread([&] {
        state_->for_each_link([](link& one) {
            error_code ignored;
            one.client.shutdown(tcp::socket::shutdown_send, ignored);
        });
    });
}

void fault_proxy::close() {
    state_->on_thread([&] {
        state_->acceptor.close();
        state_->for_each_link([](link& one) { one.reset(); });
    });
}

void fault_proxy::open() {
    state_->on_thread([&] {
        if (!state_->acceptor.is_open()) state_->listen();
    });
}

void fault_proxy::cut_replies(double share, std::string only_to) {
    state_->on_thread([&] {
        state_->share = share;
        state_->looked_for = std::move(only_to);
    });
}

void fault_proxy::cut_reply(std::uint64_t nth, std::string only_to) {
    state_->on_thread([&] {
        state_->replies_until_cut = nth;
        state_->looked_for = std::move(only_to);
    });
}

void fault_proxy::retarget(std::uint16_t port) {
    state_->on_thread([&] { state_->target.port(port); });
}

std::uint64_t fault_proxy::replies_cut() const {
    return state_->swallowed;
}

std::size_t fault_proxy::connections() const {
    std::size_t count = 0;
    state_->on_thread([&] { state_->for_each_link([&](link&) { ++count; }); });
    return count;
}

void fault_proxy::heal() {
    state_->on_thread([&] {
        state_->each_way = 0ms;
        state_->slice_bytes = 0;
        state_->bytes_per_second = 0;
        state_->requests_held = state_->replies_held = false;
        state_->share = 0;
        state_->replies_until_cut = 0;
        state_->looked_for.clear();
    });
    open();
}

}  // namespace flashsale::test
