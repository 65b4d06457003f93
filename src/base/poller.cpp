#include <flashsale/base/poller.hpp>

#include <boost/system/system_error.hpp>
#include <cerrno>

namespace flashsale {

namespace {

boost::system::error_code last_error() {
    return {errno, boost::system::system_category()};
}

}  // namespace

poller::poller(asio::io_context& io)
    : epoll_(io.get_executor()), self_(std::make_shared<poller*>(this)) {
    const int descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0) throw boost::system::system_error(last_error(), "epoll_create1");
    epoll_.assign(descriptor);
    wait();
}

poller::~poller() {
    stop();
    *self_ = nullptr;
}

boost::system::error_code poller::watch(int descriptor, source& heard) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &heard;
    if (epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
    return last_error();
}

void poller::forget(const source& heard) {
    for (int i = told_; i < count_; ++i) {
        // epoll_event is packed: a reference to the pointer in it would be misaligned.
        auto& event = events_[static_cast<std::size_t>(i)];
        if (event.data.ptr == &heard) event.data.ptr = nullptr;
    }
}

void poller::stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    epoll_.close(ignored);
}

void poller::wait() {
    epoll_.async_wait(epoll_.wait_read, [self = self_](boost::system::error_code fault) {
        if (!fault && *self) (*self)->turn();
    });
}

void poller::turn() {
    if (stopped_) return;
    count_ = epoll_wait(epoll_.native_handle(), events_.data(), events_per_turn, 0);
    for (told_ = 0; told_ < count_ && !stopped_;) {
        const auto& event = events_[static_cast<std::size_t>(told_++)];
        if (event.data.ptr) static_cast<source*>(event.data.ptr)->ready(event.events);
    }
    count_ = told_ = 0;
    if (!stopped_) wait();
}

}  // namespace flashsale
