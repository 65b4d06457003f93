#include <eventually.hpp>
#include <stack.hpp>

#include "broker.hpp"

using namespace flashsale::amqp;
using namespace std::chrono_literals;
using flashsale::amqp::test::outgoing;
using flashsale::test::eventually;
using flashsale::test::stack;

TEST_CASE("amqp publisher: what is confirmed is consumed, in order") {
    const auto names = test::fresh_names();
    outgoing out(test::settings(), names);
    for (int i = 1; i <= 100; ++i)
        out.put(std::to_string(i));
    REQUIRE(eventually(10s, [&] { return out.count(outcome::confirmed) == 100; }));
    CHECK(out->state() == link_state::up);
    CHECK(out->fault().empty());

    consumer in(test::settings(), names, 200);
    const auto got = test::receive(in, 100);
    CHECK(test::bodies(got) == test::numbers(1, 100));
    CHECK_FALSE(got.back().redelivered);
}

TEST_CASE("amqp publisher: 10,000 messages through a window of 64, each settled once") {
    const auto names = test::fresh_names();
    outgoing out(test::settings(), names, {.window_max = 64});
    consumer in(test::settings(), names, 200);
    std::vector<std::string> got;
    for (int i = 1; i <= 10'000; ++i)
        out.put(std::to_string(i));
    while (got.size() < 10'000) {
        const auto some = test::receive(in, 100);
        REQUIRE_FALSE(some.empty());
        for (const auto& one : some)
            got.push_back(one.body);
        REQUIRE(in.acknowledge_up_to(some.back().tag));
    }
    CHECK(got == test::numbers(1, 10'000));
    REQUIRE(eventually(10s, [&] { return out.count(outcome::confirmed) == 10'000; }));
    CHECK(out.settled_once());
}

TEST_CASE("amqp publisher: bodies of many frames, and of exactly whole ones") {
    const auto names = test::fresh_names();
    outgoing out(test::settings(), names);
    REQUIRE(eventually(10s, [&] { return out->state() == link_state::up; }));
    consumer in(test::settings(), names, 200);
    constexpr std::size_t frame_payload = 131'072 - 8;
    for (const std::size_t size : {std::size_t{0}, std::size_t{65'536}, frame_payload - 1,
                                   frame_payload, 2 * frame_payload, std::size_t{4'000'000}}) {
        CAPTURE(size);
        std::string body(size, 'x');
        if (size > 0) body.back() = '!';
        out.put(body);
        const auto got = test::receive(in, 1);
        REQUIRE(got.size() == 1);
        CHECK(got.front().body == body);
        REQUIRE(in.acknowledge_up_to(got.front().tag));
    }
}

TEST_CASE("amqp publisher: whole frames are not held back by the kernel") {
    outgoing out(test::settings(), test::fresh_names());
    REQUIRE(eventually(10s, [&] { return out->state() == link_state::up; }));
    // Corked, each would wait 200 ms: the fastest of ten tells.
    auto fastest = std::chrono::steady_clock::duration::max();
    for (std::size_t i = 1; i <= 10; ++i) {
        const auto started = std::chrono::steady_clock::now();
        out.put(std::string(131'072 - 8, 'x'));
        REQUIRE(eventually(10s, [&] { return out.count(outcome::confirmed) == i; }));
        fastest = std::min(fastest, std::chrono::steady_clock::now() - started);
    }
    CHECK(fastest < 150ms);
}

TEST_CASE("amqp publisher: what no queue takes comes back, and the rest does not") {
    const auto names = test::fresh_names();
    outgoing out(test::settings(), names);
    std::vector<std::uint64_t> astray;
    for (int i = 0; i < 100; ++i) {
        out.put("kept");
        astray.push_back(out.put("astray", "elsewhere"));
    }
    REQUIRE(eventually(10s, [&] { return out.settled_once() && out.waiting() == 0; }));
    CHECK(out.count(outcome::confirmed) == 100);
    CHECK(out.count(outcome::returned) == 100);
    for (const auto tag : astray)
        CHECK(out.ends_of(tag) == std::vector{outcome::returned});
    CHECK(out->state() == link_state::up);
}

TEST_CASE("amqp publisher: a queue deleted under it makes messages come back, not lost") {
    const auto names = test::fresh_names();
    outgoing out(test::settings(), names);
    out.put("kept");
    REQUIRE(eventually(10s, [&] { return out.count(outcome::confirmed) == 1; }));
    stack::rabbitmqctl({"delete_queue", names.queue});
    const auto tag = out.put("homeless");
    REQUIRE(eventually(10s, [&] { return !out.ends_of(tag).empty(); }));
    CHECK(out.ends_of(tag) == std::vector{outcome::returned});
}

TEST_CASE("amqp publisher: a routing key too long for the protocol is refused") {
    outgoing out(test::settings(), test::fresh_names());
    const auto tag = out.put("x", "order." + std::string(300, 'x'));
    out.put("x");
    REQUIRE(eventually(10s, [&] { return out.count(outcome::confirmed) == 1; }));
    CHECK(out.ends_of(tag) == std::vector{outcome::refused});
    CHECK(out->state() == link_state::up);
}

TEST_CASE("amqp publisher: stop sends what waits and hears its confirms") {
    const auto names = test::fresh_names();
    {
        outgoing out(test::settings(), names);
        for (int i = 1; i <= 2'000; ++i)
            out.put(std::to_string(i));
        out->stop(10s);
        CHECK(out.count(outcome::confirmed) == 2'000);
        CHECK(out->state() == link_state::down);
        out->stop(10s);  // again is nothing
    }
    consumer in(test::settings(), names, 2'000);
    CHECK(test::bodies(test::receive(in, 2'000)) == test::numbers(1, 2'000));
}

TEST_CASE("amqp publisher: stop returns at once with nothing to do, also without a broker") {
    const auto started = std::chrono::steady_clock::now();
    {
        outgoing idle(test::settings(), test::fresh_names());
        REQUIRE(eventually(10s, [&] { return idle->state() == link_state::up; }));
        idle->stop(10s);

        auto nowhere = test::settings();
        nowhere.url = "amqp://u:p@127.0.0.1:1/";
        outgoing down(nowhere, test::fresh_names());
        REQUIRE(eventually(5s, [&] { return down->fault().find("cannot connect") == 0; }));
        down->stop(10s);
    }
    CHECK(std::chrono::steady_clock::now() - started < 5s);
}

TEST_CASE("amqp publisher: stop gives up when its patience is over") {
    auto nowhere = test::settings();
    nowhere.url = "amqp://u:p@127.0.0.1:1/";
    outgoing out(nowhere, test::fresh_names());
    out.put("never sent");
    const auto started = std::chrono::steady_clock::now();
    out->stop(500ms);
    const auto took = std::chrono::steady_clock::now() - started;
    CHECK(took >= 500ms);
    CHECK(took < 2s);
    CHECK(out.waiting() == 1);  // never taken, so nothing is owed
    CHECK(out.settled_once());
}

TEST_CASE("amqp publisher: what keeps it down is said plainly") {
    const auto names = test::fresh_names();
    outgoing first(test::settings(), names);
    REQUIRE(eventually(10s, [&] { return first->state() == link_state::up; }));

    SECTION("a queue that exists with other properties") {
        auto other = names;
        other.delivery_limit = 5;
        outgoing second(test::settings(), other);
        REQUIRE(eventually(10s, [&] {
            return second->fault().find("not as this process declares it") != std::string::npos;
        }));
        CHECK_THAT(second->fault(),
                   Catch::Contains(names.queue) && Catch::Contains("x-delivery-limit"));
        CHECK(second->state() == link_state::down);
    }
    SECTION("a wrong password") {
        auto wrong = test::settings();
        const auto at = wrong.url.find('@');
        wrong.url = "amqp://flashsale:wrong" + wrong.url.substr(at);
        outgoing second(wrong, names);
        REQUIRE(eventually(10s, [&] { return second->fault().find("403") != std::string::npos; }));
        CHECK_THAT(second->fault(), Catch::Contains("cannot log in") && !Catch::Contains("wrong"));
    }
    SECTION("a vhost that does not exist") {
        auto wrong = test::settings();
        wrong.url = wrong.url.substr(0, wrong.url.rfind('/')) + "/nowhere";
        outgoing second(wrong, names);
        REQUIRE(
            eventually(10s, [&] { return second->fault().find("nowhere") != std::string::npos; }));
    }
}
