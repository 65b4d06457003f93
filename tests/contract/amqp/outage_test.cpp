// The broker raises an alarm, stops, dies, or cuts the connections; each case ends with service
// restored.

#include <eventually.hpp>
#include <flashsale/base/metrics.hpp>
#include <stack.hpp>

#include <thread>

#include "broker.hpp"

using namespace flashsale::amqp;
using namespace std::chrono_literals;
using flashsale::amqp::test::outgoing;
using flashsale::test::eventually;
using flashsale::test::outage;
using flashsale::test::stack;

namespace {

/// Up again, and a message goes through from end to end.
bool restored(outgoing& out) {
    if (!eventually(30s, [&] { return out->state() == link_state::up; })) return false;
    const auto tag = out.put("restored");
    return eventually(30s, [&] { return out.ends_of(tag) == std::vector{outcome::confirmed}; });
}

std::int64_t metric_value(std::string_view name) {
    for (const auto* one : flashsale::all_metrics()) {
        if (one->name() == name) return one->value();
    }
    throw std::runtime_error("no such metric");
}

/// A memory alarm, for as long as it lives.
class memory_alarm {
public:
    memory_alarm() { stack::rabbitmqctl({"set_vm_memory_high_watermark", "0.0001"}); }
    ~memory_alarm() { end(); }
    void end() {
        if (!std::exchange(over_, true))
            stack::rabbitmqctl({"set_vm_memory_high_watermark", "0.4"});
    }

private:
    bool over_ = false;
};

}  // namespace

TEST_CASE("amqp outage: an alarm blocks; what is in flight ends as unknown, then all goes on") {
    const auto names = test::fresh_names();
    outgoing out(test::settings(), names, {.window_max = 4, .confirm_timeout = 1s});
    REQUIRE(restored(out));
    memory_alarm raised;
    const auto first = out.put("first");
    REQUIRE(eventually(10s, [&] { return out->state() == link_state::blocked; }));
    CHECK_THAT(out->fault(), Catch::Contains("blocked"));
    CHECK(metric_value("amqp_blocked") == 1);
    const auto second = out.put("second");
    REQUIRE(eventually(5s, [&] { return !out.ends_of(first).empty(); }));
    CHECK(out.ends_of(first) == std::vector{outcome::unknown});
    CHECK(out->state() == link_state::blocked);
    CHECK(out.waiting() == 1);  // not taken while blocked

    raised.end();
    REQUIRE(eventually(10s, [&] { return !out.ends_of(second).empty(); }));
    CHECK(out.ends_of(second) == std::vector{outcome::confirmed});
    REQUIRE(restored(out));
    CHECK(out.settled_once());
    CHECK(metric_value("amqp_blocked") == 0);

    // The connection was kept, so the unknown one arrived too, in its place.
    consumer in(test::settings(), names, 100);
    CHECK(test::bodies(test::receive(in, 4)) ==
          std::vector<std::string>{"restored", "first", "second", "restored"});
}

TEST_CASE("amqp outage: a broker killed under load, nothing confirmed is lost") {
    const auto names = test::fresh_names();
    outgoing out(test::settings(), names, {.window_max = 64});
    REQUIRE(restored(out));
    consumer in(test::settings(), names, 2'000);
    REQUIRE(test::receive(in, 1).size() == 1);
    // A quorum queue declared less than a second before RabbitMQ 3.10 is killed comes back empty
    // and without a leader, for good.
    std::this_thread::sleep_for(3s);

    for (int i = 1; i <= 20'000; ++i)
        out.put(std::to_string(i));
    REQUIRE(eventually(10s, [&] { return out.count(outcome::confirmed) > 500; }));
    outage killed(stack::server::rabbitmq, outage::kind::killed);
    REQUIRE(eventually(10s, [&] { return out->state() == link_state::down; }));
    CHECK(out.count(outcome::unknown) >= 1);
    CHECK(out.count(outcome::unknown) <= 64);
    CHECK(out.settled_once());
    CHECK_FALSE(in.keep_alive());
    killed.end();
    REQUIRE(restored(out));
    REQUIRE(eventually(20s, [&] { return out.waiting() == 0 && out.settled_once(); }));

    // Everything came but what is unknown; what is unknown may have come too.
    std::vector<bool> arrived(20'001, false);
    int last = 0;
    bool ordered = true;
    for (;;) {
        const auto some = in.receive(1'000, 1s);
        if (!some) continue;
        if (some->empty()) break;
        for (const auto& one : *some) {
            const int number = std::atoi(one.body.c_str());
            ordered = ordered && (number == 0 || number > last);
            last = std::max(last, number);
            arrived[static_cast<std::size_t>(number)] = true;
        }
        REQUIRE(in.acknowledge_up_to(some->back().tag));
    }
    CHECK(ordered);
    std::size_t lost = 0;
    for (std::uint64_t tag = 1; tag <= 20'000; ++tag)  // "restored" has tag 0
        lost += !arrived[tag] && out.ends_of(tag) == std::vector{outcome::confirmed};
    CHECK(lost == 0);
}

TEST_CASE("amqp outage: connections closed by force come back at once") {
    const auto names = test::fresh_names();
    outgoing out(test::settings(), names);
    REQUIRE(restored(out));
    consumer in(test::settings(), names, 100);
    REQUIRE(test::receive(in, 1).size() == 1);
    stack::rabbitmqctl({"close_all_connections", "maintenance"});
    const auto answer = in.receive(1, 5s);
    REQUIRE_FALSE(answer);
    CHECK_THAT(answer.error(), Catch::Contains("maintenance"));
    REQUIRE(restored(out));
    // "restored" of before comes again, and the new one after it.
    const auto got = test::receive(in, 2);
    REQUIRE(got.size() == 2);
    CHECK(got[0].redelivered);
    CHECK(in.incarnation() == 2);
}

TEST_CASE("amqp outage: a broker that stops answering is given up in time") {
    outgoing out(test::settings(), test::fresh_names(), {.confirm_timeout = 1s});
    REQUIRE(restored(out));
    outage stopped(stack::server::rabbitmq, outage::kind::stopped);
    const auto sent = std::chrono::steady_clock::now();
    const auto tag = out.put("into the void");
    REQUIRE(eventually(10s, [&] { return !out.ends_of(tag).empty(); }));
    CHECK(out.ends_of(tag) == std::vector{outcome::unknown});
    CHECK(std::chrono::steady_clock::now() - sent < 2s);
    CHECK(out->state() == link_state::down);
    stopped.end();
    REQUIRE(restored(out));
}

TEST_CASE("amqp outage: a publish that blocks is cut by the watchdog") {
    auto impatient = test::settings();
    impatient.stall_timeout = 1s;
    outgoing out(impatient, test::fresh_names(), {.window_max = 64, .confirm_timeout = 30s});
    REQUIRE(restored(out));
    outage stopped(stack::server::rabbitmq, outage::kind::stopped);
    const auto sent = std::chrono::steady_clock::now();
    // One message larger than the socket's buffers: the library cannot return before it is sent.
    const auto tag = out.put(std::string(std::size_t{64} * 1024 * 1024, 'x'));
    REQUIRE(eventually(20s, [&] { return !out.ends_of(tag).empty(); }));
    CHECK(out.ends_of(tag) == std::vector{outcome::unknown});
    CHECK(std::chrono::steady_clock::now() - sent < 5s);
    stopped.end();
    REQUIRE(restored(out));
}
