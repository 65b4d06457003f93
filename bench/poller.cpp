#include "poller.hpp"

#include <sys/epoll.h>

#include <array>
#include <boost/system/system_error.hpp>
#include <cerrno>

namespace flashsale::bench {

namespace {

// Timers of the io_context run between turns: few enough for them to be on time.
constexpr int events_per_turn = 64;

[[noreturn]] void fail(const char* call) {
    throw boost::system::system_error{errno, boost::system::system_category(), call};
}

}  // namespace

poller::poller(asio::io_context& io) : epoll_{io.get_executor()} {
    const int descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0) fail("epoll_create1");
    epoll_.assign(descriptor);
    wait();
}

void poller::watch(int descriptor, source& heard) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &heard;
    if (epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
        fail("epoll_ctl");
    }
}

void poller::stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    epoll_.close(ignored);
}

void poller::wait() {
    epoll_.async_wait(epoll_.wait_read, [this](boost::system::error_code fault) {
        if (!fault) turn();
    });
}

void poller::turn() {
    std::array<epoll_event, events_per_turn> events;
    const int count =
        stopped_ ? 0 : epoll_wait(epoll_.native_handle(), events.data(), events_per_turn, 0);
    for (int i = 0; i < count && !stopped_; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        static_cast<source*>(event.data.ptr)->ready(event.events);
    }
    if (stopped_) return;
    if (count == events_per_turn) {
        asio::post(epoll_.get_executor(), [this] { turn(); });
    } else {
        wait();
    }
}

}  // namespace flashsale::bench
