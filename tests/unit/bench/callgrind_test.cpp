#include "site/callgrind.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::bench;

TEST_CASE("callgrind: the sum of a file") {
    CHECK(callgrind_summary("# callgrind format\nversion: 1\nthread: 7\n\nevents: Ir\n"
                            "summary: 12345678901\n\nfn=(1) summary: 7\n") == 12345678901.0);
    CHECK_FALSE(callgrind_summary("# callgrind format\nevents: Ir\n"));
    CHECK_FALSE(callgrind_summary("events: Ir\nsummary: none\n"));
}

TEST_CASE("callgrind: threads by valgrind's numbers") {
    const auto threads = valgrind_threads(
        "sending command v.info scheduler to pid 11547\n\nsched status:\n  running_tid=7\n\n"
        "Thread 1: status = VgTs_WaitSys syscall 232 (lwpid 11547)\n"
        "==11547==    at 0x51A9F36: epoll_wait (epoll_wait.c:30)\n"
        "client stack range: [0x1FFEFFC000 0x1FFF000FFF] client SP: 0x1FFEFFE440\n\n"
        "Thread 12: status = VgTs_Runnable (lwpid 11555)\n"
        "==11547==    by 0x21C15D: Thread 3: of::no::interest(int) (in /tmp/vg/fs)\n");
    CHECK(threads == std::map<int, pid_t>{{1, 11'547}, {12, 11'555}});
    CHECK(valgrind_threads("").empty());
}

TEST_CASE("callgrind: how often timers went off") {
    const std::string one = "boost::asio::detail::wait_handler<a::b(int)::{lambda()#1}, c>::d(int)";
    const std::string two = "boost::asio::detail::wait_handler<e>::d(int)";
    const auto timers =
        callgrind_timers("fn=(34) " + one + "\n0 90\ncfn=(35) malloc\ncalls=4 0\n0 5\n" +
                         "\nfn=(1) run\n0 7\ncfn=(34)\ncalls=100 0\n0 99\n" + "cfn=(2) " + two +
                         "\ncalls=3 0\n0 8\n" + "\nfn=(3) other\n0 1\ncfn=(34)\ncalls=20 0\n0 9");
    CHECK(timers == timer_calls{{one, 120}, {two, 3}});
    CHECK(callgrind_timers("").empty());
    CHECK(callgrind_timers("cfn=(\ncalls=3\nfn=(1").empty());
}

TEST_CASE("callgrind: a sum over threads") {
    CHECK(sum_of({}) == 0);
    CHECK(sum_of({{"http worker", 3}, {"recorder", 4}}) == 7);
}
