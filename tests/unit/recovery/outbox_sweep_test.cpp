#include <catch2/catch.hpp>

#include "outbox_sweep.hpp"

using namespace flashsale;
using namespace flashsale::recovery;
using namespace std::chrono_literals;
using step = outbox_sweep::step;

TEST_CASE("outbox sweep: what was noted is looked at again only behind its barrier") {
    uuid_generator make;
    outbox_sweep sweep(60s);
    deadline now{};
    CHECK(sweep.next() == step::note);
    sweep.note({}, make.make());
    CHECK(sweep.next() == step::note);

    const uuid entry = make.make(), barrier = make.make();
    sweep.note({entry}, barrier);
    CHECK(sweep.next() == step::send_barrier);
    CHECK(sweep.barrier() == barrier);
    sweep.barrier_sent(now);
    CHECK(sweep.next() == step::await_barrier);
    sweep.barrier_seen(false);
    CHECK(sweep.next() == step::await_barrier);
    sweep.barrier_seen(true);
    CHECK(sweep.next() == step::look_again);
    CHECK(sweep.noted() == std::vector{entry});
    sweep.looked_again();
    CHECK(sweep.next() == step::note);
    CHECK(sweep.noted().empty());
}

TEST_CASE("outbox sweep: a barrier that does not come goes out again, ever less often") {
    uuid_generator make;
    outbox_sweep sweep(60s);
    deadline now{};
    const uuid barrier = make.make();
    sweep.note({make.make()}, barrier);
    CHECK_FALSE(sweep.barrier_due_again(now));
    sweep.barrier_sent(now);
    int sent = 1;
    for (const deadline end = now + 3600s; now < end; now += 1s) {
        if (!sweep.barrier_due_again(now)) continue;
        sweep.barrier_sent(now);
        ++sent;
        CHECK(sweep.barrier() == barrier);
    }
    CHECK(sent > 5);
    CHECK(sent < 70);
}

TEST_CASE("outbox sweep: a barrier is overdue after its patience, counted from its first sending") {
    uuid_generator make;
    outbox_sweep sweep(10s);
    deadline now{};
    CHECK_FALSE(sweep.overdue(now + 3600s).has_value());
    sweep.note({make.make()}, make.make());
    CHECK_FALSE(sweep.overdue(now + 3600s).has_value());
    sweep.barrier_sent(now);
    sweep.barrier_sent(now + 8s);
    CHECK_FALSE(sweep.overdue(now + 9s).has_value());
    CHECK(sweep.overdue(now + 11s) == 11s);
    sweep.barrier_seen(true);
    CHECK_FALSE(sweep.overdue(now + 11s).has_value());
}
