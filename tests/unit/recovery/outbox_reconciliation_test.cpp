#include <catch2/catch.hpp>

#include "outbox_reconciliation.hpp"

using namespace flashsale;
using namespace flashsale::recovery;
using namespace std::chrono_literals;
using step = outbox_reconciliation::step;

TEST_CASE("outbox reconcile: what was noted is looked at again only behind its barrier") {
    uuid_generator make;
    outbox_reconciliation reconcile(60s);
    deadline now{};
    CHECK(reconcile.next() == step::note);
    reconcile.note({}, make.make());
    CHECK(reconcile.next() == step::note);

    const uuid entry = make.make(), barrier = make.make();
    reconcile.note({entry}, barrier);
    CHECK(reconcile.next() == step::send_barrier);
    CHECK(reconcile.barrier() == barrier);
    reconcile.barrier_sent(now);
    CHECK(reconcile.next() == step::await_barrier);
    reconcile.barrier_seen(false);
    CHECK(reconcile.next() == step::await_barrier);
    reconcile.barrier_seen(true);
    CHECK(reconcile.next() == step::look_again);
    CHECK(reconcile.noted() == std::vector{entry});
    reconcile.looked_again();
    CHECK(reconcile.next() == step::note);
    CHECK(reconcile.noted().empty());
}

TEST_CASE("outbox reconcile: a barrier that does not come goes out again, ever less often") {
    uuid_generator make;
    outbox_reconciliation reconcile(60s);
    deadline now{};
    const uuid barrier = make.make();
    reconcile.note({make.make()}, barrier);
    CHECK_FALSE(reconcile.barrier_due_again(now));
    reconcile.barrier_sent(now);
    int sent = 1;
    for (const deadline end = now + 3600s; now < end; now += 1s) {
        if (!reconcile.barrier_due_again(now)) continue;
        reconcile.barrier_sent(now);
        ++sent;
        CHECK(reconcile.barrier() == barrier);
    }
    CHECK(sent > 5);
    CHECK(sent < 70);
}

TEST_CASE(
    "outbox reconcile: a barrier is overdue after its patience, counted from its first sending") {
    uuid_generator make;
    outbox_reconciliation reconcile(10s);
    deadline now{};
    CHECK_FALSE(reconcile.overdue(now + 3600s).has_value());
    reconcile.note({make.make()}, make.make());
    CHECK_FALSE(reconcile.overdue(now + 3600s).has_value());
    reconcile.barrier_sent(now);
    reconcile.barrier_sent(now + 8s);
    CHECK_FALSE(reconcile.overdue(now + 9s).has_value());
    CHECK(reconcile.overdue(now + 11s) == 11s);
    reconcile.barrier_seen(true);
    CHECK_FALSE(reconcile.overdue(now + 11s).has_value());
}
