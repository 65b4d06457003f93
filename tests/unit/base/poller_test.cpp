#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <unistd.h>
#include <flashsale/base/poller.hpp>

#include <memory>
#include <vector>

using namespace flashsale;

namespace {

/// A socket pair whose near end is watched.
struct watched final : poller::source {
    explicit watched(poller& by) : by(by) {
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
        REQUIRE_FALSE(by.watch(ends[0], *this));
    }
    ~watched() { close(); }
    void ready(std::uint32_t epoll_events) override {
        heard.push_back(epoll_events);
        if (then) then();
    }
    void send() { REQUIRE(::write(ends[1], "x", 1) == 1); }
    void close() {
        if (ends[0] < 0) return;
        by.forget(*this);
        ::close(ends[0]);
        ::close(ends[1]);
        ends[0] = -1;
    }

    poller& by;
    int ends[2];
    std::vector<std::uint32_t> heard;
    std::function<void()> then;
};

}  // namespace

TEST_CASE("poller: tells of each change once, and of none that is over") {
    asio::io_context io;
    poller readiness(io);
    watched one(readiness);
    io.poll();
    REQUIRE(one.heard.size() == 1);  // there is room to write
    CHECK((one.heard[0] & EPOLLIN) == 0);
    io.poll();
    CHECK(one.heard.size() == 1);
    one.send();
    io.poll();
    REQUIRE(one.heard.size() == 2);
    CHECK((one.heard[1] & EPOLLIN) != 0);
    io.poll();
    CHECK(one.heard.size() == 2);  // unread, but no news
    ::shutdown(one.ends[1], SHUT_WR);
    io.poll();
    REQUIRE(one.heard.size() == 3);
    CHECK((one.heard[2] & EPOLLRDHUP) != 0);
}

TEST_CASE("poller: more than one turn takes are all told") {
    asio::io_context io;
    poller readiness(io);
    std::vector<std::unique_ptr<watched>> all;
    for (int i = 0; i < 200; ++i)
        all.push_back(std::make_unique<watched>(readiness));
    io.poll();
    for (const auto& one : all)
        one->send();
    io.poll();
    for (const auto& one : all)
        CHECK(one->heard.size() == 2);
}

TEST_CASE("poller: who is forgotten in the middle of a turn hears of nothing more") {
    asio::io_context io;
    poller readiness(io);
    watched one(readiness), other(readiness);
    io.poll();
    one.then = [&] { other.close(); };
    other.then = [&] { one.close(); };
    one.send();
    other.send();
    io.poll();
    CHECK(one.heard.size() + other.heard.size() == 3);
}

TEST_CASE("poller: stopped, it lets the loop end, in the middle of a turn too") {
    asio::io_context io;
    auto readiness = std::make_unique<poller>(io);
    watched one(*readiness), other(*readiness);
    one.then = other.then = [&] { readiness->stop(); };
    one.send();
    other.send();
    io.run();
    CHECK(one.heard.size() + other.heard.size() == 1);
}

TEST_CASE("poller: gone, it is not called by what was on its way") {
    asio::io_context io;
    auto readiness = std::make_unique<poller>(io);
    {
        watched one(*readiness);
        one.send();
        io.poll_one();
    }
    readiness.reset();
    io.run();
    CHECK(io.stopped());
}
