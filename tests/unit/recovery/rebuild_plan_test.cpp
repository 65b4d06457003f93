#include <catch2/catch.hpp>

#include "rebuild_plan.hpp"

using namespace flashsale;
using namespace flashsale::recovery;
using namespace std::chrono_literals;
using step = rebuild_plan::step;

TEST_CASE("rebuild: each step once, in this order") {
    rebuild_plan plan(2s);
    deadline now{};
    for (const step expected :
         {step::raise_epoch, step::unbind, step::prove_unbound, step::close_gate,
          step::wait_deadline, step::bind, step::publish_survivors, step::send_barrier,
          step::await_barrier, step::find_survivors, step::raise_fences, step::begin_loading,
          step::remove_older, step::load, step::mark_open, step::open_gate}) {
        CHECK(plan.next() == expected);
        if (expected == step::wait_deadline) now += 2s;
        plan.succeeded(now);
    }
    CHECK(plan.next() == step::done);
    plan.succeeded(now);
    CHECK(plan.next() == step::done);
}

TEST_CASE(
    "rebuild: nothing is published before the confirm deadline has passed since the unbinding") {
    rebuild_plan plan(2s);
    deadline now{1h};
    plan.succeeded(now);
    now += 500ms;
    plan.succeeded(now);  // unbound
    CHECK(plan.left(now) == 2s);
    now += 100ms;
    plan.succeeded(now);
    plan.succeeded(now);  // closed
    CHECK(plan.next() == step::wait_deadline);
    CHECK(plan.left(now) == 1'900ms);
    plan.succeeded(now);
    CHECK(plan.next() == step::wait_deadline);
    now += 1'899ms;
    CHECK(plan.left(now) == 1ms);
    plan.succeeded(now);
    CHECK(plan.next() == step::wait_deadline);
    now += 1ms;
    plan.succeeded(now);
    CHECK(plan.next() == step::bind);
}

TEST_CASE("rebuild: a lost barrier, or survivor, goes out with what has to be before it") {
    for (const step lost : {step::await_barrier, step::find_survivors}) {
        rebuild_plan plan(0s);
        deadline now{};
        plan.publish_again();
        CHECK(plan.next() == step::raise_epoch);
        while (plan.next() != lost)
            plan.succeeded(now);
        plan.publish_again();
        CHECK(plan.next() == step::publish_survivors);
        plan.succeeded(now);
        CHECK(plan.next() == step::send_barrier);
        while (plan.next() != step::raise_fences)
            plan.succeeded(now);
        plan.publish_again();
        CHECK(plan.next() == step::raise_fences);
    }
}

TEST_CASE("rebuild: an attempt that failed does nothing further") {
    rebuild_plan plan(0s);
    deadline now{};
    plan.succeeded(now);
    plan.failed();
    CHECK(plan.next() == step::given_up);
    plan.succeeded(now);
    plan.publish_again();
    CHECK(plan.next() == step::given_up);
}

TEST_CASE("rebuild: what was loaded must be what the stock database has") {
    uuid_generator make;
    rebuild_arithmetic sums;
    CHECK(sums.fits(1, 10, 10));
    CHECK_FALSE(sums.fits(1, 10, 9));
    CHECK_FALSE(sums.fits(1, 10, 11));
    const stock::allocation unmoved{.order_id = make.make(), .product_id = 1, .quantity = 3};
    sums.has_no_movement(unmoved);
    sums.has_no_movement(unmoved);
    sums.has_no_movement({.order_id = make.make(), .product_id = 2, .quantity = 1});
    CHECK(sums.fits(1, 10, 7));
    CHECK_FALSE(sums.fits(1, 10, 4));
    CHECK(sums.fits(2, 1, 0));
}
