#include <eventually.hpp>
#include <stack.hpp>

#include <future>
#include <thread>

#include "broker.hpp"

using namespace flashsale::amqp;
using namespace std::chrono_literals;
using flashsale::amqp::test::outgoing;
using flashsale::test::eventually;
using flashsale::test::stack;

namespace {

/// Names whose queue holds the messages 1 to `last`.
topology filled(int last) {
    auto names = test::fresh_names();
    outgoing out(test::settings(), names);
    for (int i = 1; i <= last; ++i)
        out.put(std::to_string(i));
    out->stop(60s);
    REQUIRE(out.count(outcome::confirmed) == static_cast<std::size_t>(last));
    return names;
}

}  // namespace

TEST_CASE("amqp consumer: it takes what has gathered, no more than asked for") {
    constexpr std::size_t messages = 2'000;
    const auto names = filled(messages);
    consumer in(test::settings(), names, messages);
    CHECK(in.state() == link_state::down);
    REQUIRE(in.receive(1, 60s)->size() == 1);
    CHECK(in.state() == link_state::up);
    CHECK(in.incarnation() == 1);
    CHECK(in.fault().empty());
    // How many have come by now is the broker's affair: several, in one of so many takings.
    std::size_t taken = 1, most = 0;
    while (taken < messages) {
        const auto some = in.receive(9, 60s);
        REQUIRE(some);
        REQUIRE_FALSE(some->empty());
        most = std::max(most, some->size());
        taken += some->size();
    }
    CHECK(most == 9);
    CHECK(taken == messages);
    CHECK(in.receive(100, 50ms)->empty());
}

TEST_CASE("amqp consumer: an acknowledgement covers all before it, and what follows comes again") {
    const auto names = filled(10);
    {
        consumer in(test::settings(), names, 100);
        const auto got = test::receive(in, 10);
        REQUIRE(got.size() == 10);
        CHECK(in.acknowledge_up_to(got[5].tag));
        CHECK(in.acknowledge_up_to(got[5].tag));  // again is nothing
        CHECK(in.acknowledge_up_to(got[2].tag));
        in.close();
        CHECK(in.state() == link_state::down);
    }
    consumer next(test::settings(), names, 100);
    const auto again = test::receive(next, 4);
    CHECK(test::bodies(again) == test::numbers(7, 10));
    CHECK(again.front().redelivered);
    CHECK(next.receive(10, 200ms)->empty());
}

TEST_CASE("amqp consumer: no more than the prefetch is held unacknowledged") {
    const auto names = filled(50);
    consumer in(test::settings(), names, 20);
    const auto got = test::receive(in, 20);
    REQUIRE(got.size() == 20);
    // Longer than it takes a consumer that holds less to subscribe again.
    const auto until = std::chrono::steady_clock::now() + 7s;
    while (std::chrono::steady_clock::now() < until)
        REQUIRE(in.receive(100, 100ms)->empty());
    REQUIRE(in.acknowledge_up_to(got.back().tag));
    CHECK(test::bodies(test::receive(in, 20)) == test::numbers(21, 40));
}

TEST_CASE("amqp: a queue is consumed while one is active, and not by those who wait") {
    const auto names = filled(30);
    CHECK_FALSE(is_consumed(test::settings(), names.queue).value());
    auto first = std::make_unique<consumer>(test::settings(), names, 10);
    REQUIRE(test::receive(*first, 10).size() == 10);
    CHECK(is_consumed(test::settings(), names.queue).value());
    consumer second(test::settings(), names, 10);
    REQUIRE(second.receive(10, 200ms)->empty());
    // Closed with messages in hand: the next is active at once, and has them in their order.
    first->close();
    const auto got = test::receive(second, 10);
    CHECK(test::bodies(got) == test::numbers(1, 10));
    CHECK(is_consumed(test::settings(), names.queue).value());
    // And the first may come back, behind it.
    CHECK(first->receive(10, 200ms)->empty());
    second.close();
    CHECK(test::bodies(test::receive(*first, 10)) == test::numbers(1, 10));
    first->close();
    CHECK(eventually(5s, [&] { return !is_consumed(test::settings(), names.queue).value(); }));
    CHECK_FALSE(is_consumed(test::settings(), "no queue of this name"));
}

TEST_CASE("amqp consumer: one is active, and its successor begins where it left off, in order") {
    const auto names = filled(300);
    auto first = std::make_unique<consumer>(test::settings(), names, 100);
    const auto got = test::receive(*first, 100);
    REQUIRE(got.size() == 100);

    consumer second(test::settings(), names, 100);
    REQUIRE(second.receive(100, 200ms)->empty());  // waits its turn

    REQUIRE(first->acknowledge_up_to(got[49].tag));
    first.reset();
    std::vector<std::string> rest;
    while (rest.size() < 250) {
        const auto some = test::receive(second, std::min<std::size_t>(100, 250 - rest.size()));
        REQUIRE_FALSE(some.empty());
        for (const auto& one : some)
            rest.push_back(one.body);
        REQUIRE(second.acknowledge_up_to(some.back().tag));
    }
    CHECK(rest == test::numbers(51, 300));
}

TEST_CASE("amqp consumer: a dead letter leaves the queue for good, and the rest stays in order") {
    const auto names = filled(5);
    {
        consumer in(test::settings(), names, 100);
        const auto got = test::receive(in, 5);
        REQUIRE(got.size() == 5);
        CHECK(in.dead_letter(got[1].tag));
        CHECK(in.dead_letter(got[1].tag));  // again is nothing
        CHECK(in.acknowledge_up_to(got[1].tag));
        CHECK(in.dead_letter(got[4].tag));
        CHECK(in.keep_alive());
    }
    consumer next(test::settings(), names, 100);
    CHECK(test::bodies(test::receive(next, 2)) == test::numbers(3, 4));
    CHECK(eventually(60s, [&] {
        return stack::rabbitmqctl({"list_queues", "--quiet", "name", "messages"})
                   .find(names.dead_letter_queue + "\t2") != std::string::npos;
    }));
}

TEST_CASE("amqp consumer: interrupt ends a wait, also one that has not begun") {
    consumer in(test::settings(), test::fresh_names(), 10);
    REQUIRE(in.receive(1, 0ms));
    const auto started = std::chrono::steady_clock::now();
    std::thread other([&] {
        std::this_thread::sleep_for(100ms);
        in.interrupt();
    });
    CHECK(in.receive(1, 10min)->empty());
    other.join();
    in.interrupt();
    CHECK(in.receive(1, 10min)->empty());
    CHECK(std::chrono::steady_clock::now() - started < 60s);
}

TEST_CASE("amqp consumer: a batch is held through a long wait by keep_alive, without it is lost") {
    const auto names = filled(3);
    // The broker gives a client up that says nothing for two heartbeats.
    auto quick = test::settings();
    quick.heartbeat = 3s;
    consumer in(quick, names, 100);
    const auto got = test::receive(in, 3);
    REQUIRE(got.size() == 3);
    const auto until = std::chrono::steady_clock::now() + 3 * quick.heartbeat;
    while (std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(200ms);
        REQUIRE(in.keep_alive());
    }
    REQUIRE(in.acknowledge_up_to(got[0].tag));

    // Without a word from here the batch is the queue's again.
    REQUIRE(eventually(60s, [&] {
        return stack::rabbitmqctl({"list_queues", "--quiet", "name", "messages_ready"})
            .contains(names.queue + "\t2");
    }));
    CHECK_FALSE(in.keep_alive());
    CHECK_FALSE(in.acknowledge_up_to(got[2].tag));
    const auto again = test::receive(in, 2);
    CHECK(test::bodies(again) == test::numbers(2, 3));
    CHECK(in.incarnation() == 2);

    // A tag of the first connection means nothing in the second.
    CHECK_FALSE(in.acknowledge_up_to(got[2].tag));
    CHECK_FALSE(in.dead_letter(got[2].tag));
    CHECK(in.acknowledge_up_to(again[1].tag));
}

TEST_CASE("amqp consumer: a queue deleted under it is an error") {
    const auto names = filled(1);
    consumer in(test::settings(), names, 10);
    REQUIRE(test::receive(in, 1).size() == 1);
    auto deleting = std::async(
        std::launch::async, [&names] { return stack::rabbitmqctl({"delete_queue", names.queue}); });
    std::string lost;
    REQUIRE(eventually(120s, [&] {
        const auto answer = in.receive(1, 1s);
        if (!answer) lost = answer.error();
        return !answer;
    }));
    deleting.get();
    // The broker says so, or the look of a consumer that gets nothing finds it, whichever is first.
    CHECK_THAT(lost, Catch::Contains("cancelled") || Catch::Contains("no queue"));
    CHECK(in.state() == link_state::down);
}

TEST_CASE("amqp consumer: without a broker it says so, each time it is asked") {
    auto nowhere = test::settings();
    nowhere.url = "amqp://u:p@127.0.0.1:1/";
    consumer in(nowhere, test::fresh_names(), 10);
    for (int i = 0; i < 2; ++i) {
        const auto answer = in.receive(1, 60s);
        REQUIRE_FALSE(answer);
        CHECK_THAT(answer.error(), Catch::Contains("cannot connect"));
    }
    CHECK_FALSE(in.keep_alive());
    CHECK_FALSE(in.acknowledge_up_to(1));
    CHECK(in.incarnation() == 0);
}

TEST_CASE("amqp consumer: a message tells the second in which it was published") {
    const auto before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const auto names = filled(1);
    const auto after = std::chrono::system_clock::now();
    consumer in(test::settings(), names, 100);
    const auto got = test::receive(in, 1);
    REQUIRE(got.size() == 1);
    CHECK(got[0].published_at >= before);
    CHECK(got[0].published_at <= after);
}
