// The broker raises an alarm, stops, dies, or cuts the connections; each case ends with service
// restored.

#include <eventually.hpp>
#include <flashsale/base/metrics.hpp>
#include <stack.hpp>

#include <future>
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
    if (!eventually(60s, [&] { return out->state() == link_state::up; })) return false;
    const auto tag = out.put("restored");
    return eventually(60s, [&] { return out.ends_of(tag) == std::vector{outcome::confirmed}; });
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
    outgoing out(test::settings(), names, {.window_max = 4, .confirm_timeout = 4s});
    REQUIRE(restored(out));
    memory_alarm raised;
    const auto first = out.put("first");
    REQUIRE(eventually(60s, [&] { return out->state() == link_state::blocked; }));
    CHECK_THAT(out->fault(), Catch::Contains("blocked"));
    CHECK(metric_value("amqp_blocked") == 1);
    const auto second = out.put("second");
    REQUIRE(eventually(60s, [&] { return !out.ends_of(first).empty(); }));
    CHECK(out.ends_of(first) == std::vector{outcome::unknown});
    CHECK(out->state() == link_state::blocked);
    CHECK(out.waiting() == 1);  // not taken while blocked

    raised.end();
    REQUIRE(eventually(60s, [&] { return !out.ends_of(second).empty(); }));
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
    std::this_thread::sleep_for(6s);

    // However fast it is, there is always more to send when the broker dies.
    std::uint64_t put = 0;
    const auto put_until = [&](const std::function<bool()>& condition) {
        return eventually(60s, [&] {
            while (out.waiting() < 2'000)
                out.put(std::to_string(++put));
            return condition();
        });
    };
    REQUIRE(put_until([&] { return out.count(outcome::confirmed) > 500; }));
    auto killing = std::async(std::launch::async, [] {
        return std::make_unique<outage>(stack::server::rabbitmq, outage::kind::killed);
    });
    REQUIRE(put_until([&] { return out->state() == link_state::down; }));
    const auto killed = killing.get();
    CHECK(out.count(outcome::unknown) >= 1);
    CHECK(out.count(outcome::unknown) <= 64);
    CHECK(out.settled_once());
    CHECK_FALSE(in.keep_alive());
    killed->end();
    REQUIRE(restored(out));
    REQUIRE(eventually(60s, [&] { return out.waiting() == 0 && out.settled_once(); }));

    // Everything came but what is unknown; what is unknown may have come too.
    std::vector<bool> arrived(put + 1, false);
    int last = 0;
    bool ordered = true;
    // "restored" of now is the last.
    for (bool all = false; !all;) {
        const auto some = in.receive(1'000, 60s);
        if (!some) continue;
        REQUIRE_FALSE(some->empty());
        for (const auto& one : *some) {
            const int number = std::atoi(one.body.c_str());
            ordered = ordered && (number == 0 || number > last);
            last = std::max(last, number);
            arrived[static_cast<std::size_t>(number)] = true;
        }
        REQUIRE(in.acknowledge_up_to(some->back().tag));
        all = some->back().body == "restored" && last > 0;
    }
    CHECK(ordered);
    std::size_t lost = 0;
    for (std::uint64_t tag = 1; tag <= put; ++tag)  // "restored" has tag 0
        lost += !arrived[tag] && out.ends_of(tag) == std::vector{outcome::confirmed};
    CHECK(lost == 0);
}

TEST_CASE("amqp outage: connections closed by force come back at once") {
    const auto names = test::fresh_names();
    outgoing out(test::settings(), names);
    REQUIRE(restored(out));
    consumer in(test::settings(), names, 100);
    REQUIRE(test::receive(in, 1).size() == 1);
    // Heard at once. A look long after it finds that the heartbeat cannot be sent, before it
    // reads why.
    auto closing = std::async(std::launch::async, [] {
        return stack::rabbitmqctl({"close_all_connections", "maintenance"});
    });
    std::string lost;
    REQUIRE(eventually(120s, [&] {
        const auto answer = in.receive(1, 1s);
        if (!answer) lost = answer.error();
        return !answer;
    }));
    closing.get();
    CHECK_THAT(lost, Catch::Contains("maintenance"));
    REQUIRE(restored(out));
    // "restored" of before comes again, and the new one after it.
    const auto got = test::receive(in, 2);
    REQUIRE(got.size() == 2);
    CHECK(got[0].redelivered);
    CHECK(in.incarnation() == 2);
}

TEST_CASE("amqp outage: a broker that stops answering is given up in time") {
    auto patient = test::settings();
    patient.heartbeat = 10min;
    patient.stall_timeout = 10min;
    outgoing out(patient, test::fresh_names(), {.confirm_timeout = 3s});
    REQUIRE(restored(out));
    outage stopped(stack::server::rabbitmq, outage::kind::stopped);
    const auto tag = out.put("into the void");
    REQUIRE(eventually(60s, [&] { return !out.ends_of(tag).empty(); }));
    CHECK(out.ends_of(tag) == std::vector{outcome::unknown});
    CHECK(out->state() == link_state::down);
    stopped.end();
    REQUIRE(restored(out));
}

TEST_CASE("amqp outage: a publish that blocks is cut by the watchdog") {
    auto impatient = test::settings();
    impatient.heartbeat = 10min;
    impatient.stall_timeout = 3s;
    outgoing out(impatient, test::fresh_names(), {.window_max = 64, .confirm_timeout = 10min});
    REQUIRE(restored(out));
    outage stopped(stack::server::rabbitmq, outage::kind::stopped);
    // One message larger than the socket's buffers: the library cannot return before it is sent.
    const auto tag = out.put(std::string(std::size_t{64} * 1024 * 1024, 'x'));
    REQUIRE(eventually(60s, [&] { return !out.ends_of(tag).empty(); }));
    CHECK(out.ends_of(tag) == std::vector{outcome::unknown});
    stopped.end();
    REQUIRE(restored(out));
}
