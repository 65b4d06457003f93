#include <catch2/catch.hpp>

#include "recording/recorder_pacing.hpp"

using namespace flashsale::order;
using namespace std::chrono_literals;

namespace {

const recorder_pacing::time start{1h};
constexpr pacing_options nine_times{9, 3'000ms, 1'000, 1'000ms};
constexpr backlog little{10ms, 10};

/// A batch of 50 ms, in a rush.
recorder_pacing after_a_batch(const pacing_options& bounds = nine_times) {
    recorder_pacing out(bounds);
    out.batch_done(start, 50ms, 100);
    return out;
}

/// For how long it rests, if orders keep coming.
std::chrono::milliseconds rested(recorder_pacing pacing, const std::optional<backlog>& known) {
    std::uint64_t arrivals = 1'000;
    auto now = start;
    while (const auto pause = pacing.rest(now, known)) {
        now += *pause;
        pacing.arrived(++arrivals);
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - start);
}

}  // namespace

TEST_CASE("recorder pacing: it rests for its part of the batch's time, and looks in between") {
    CHECK(after_a_batch().rest(start, little) == recorder_pacing::look_interval);
    CHECK(rested(after_a_batch(), little) == 450ms);
    CHECK(after_a_batch().rest(start + 449ms, little) == 1ms);
    CHECK(after_a_batch().rest(start + 449ms + 500us, little) == 1ms);
    CHECK_FALSE(after_a_batch().rest(start + 450ms, little));
}

TEST_CASE("recorder pacing: at most pause_max, and not at all without a factor") {
    CHECK(rested(after_a_batch({100, 3'000ms, 1'000, 1'000ms}), little) == 1'000ms);
    CHECK(rested(after_a_batch({9, 3'000ms, 1'000, 70ms}), little) == 70ms);
    CHECK(rested(after_a_batch({0, 3'000ms, 1'000, 1'000ms}), little) == 0ms);
    CHECK(rested(after_a_batch({9, 3'000ms, 1'000, 0ms}), little) == 0ms);
}

TEST_CASE("recorder pacing: no order since the batch before, or in the middle of a rest, ends it") {
    recorder_pacing pacing = after_a_batch();
    pacing.arrived(101);
    CHECK(pacing.rest(start + 20ms, little));
    pacing.arrived(101);
    CHECK_FALSE(pacing.rest(start + 40ms, little));
    // And the next one does not begin.
    pacing.batch_done(start + 100ms, 50ms, 101);
    CHECK_FALSE(pacing.rest(start + 100ms, little));
    pacing.batch_done(start + 200ms, 50ms, 102);
    CHECK(pacing.rest(start + 200ms, little));
}

TEST_CASE("recorder pacing: too much, too old or not known: it does not rest") {
    const recorder_pacing pacing = after_a_batch();
    CHECK(pacing.rest(start, backlog{2'999ms, 999}));
    CHECK_FALSE(pacing.rest(start, backlog{3'000ms, 999}));
    CHECK_FALSE(pacing.rest(start, backlog{2'999ms, 1'000}));
    CHECK_FALSE(pacing.rest(start, std::nullopt));
}

TEST_CASE("recorder pacing: before the first batch there is no rest") {
    CHECK_FALSE(recorder_pacing(nine_times).rest(start, little));
}

TEST_CASE("recorder pacing: while holds come by, it is a second ahead of the shortest one's end") {
    recorder_pacing pacing = after_a_batch();
    pacing.held(start, 600s);
    CHECK(pacing.rest(start, backlog{2'999ms, 10}));
    pacing.held(start, 3s);
    pacing.held(start, 10s);  // the shorter one counts
    CHECK(pacing.rest(start, backlog{1'999ms, 10}));
    CHECK_FALSE(pacing.rest(start, backlog{2'000ms, 10}));
    pacing.held(start, 1s);
    CHECK_FALSE(pacing.rest(start, backlog{0ms, 0}));

    // None for a minute, or a longer one alone: it rests as before.
    const auto later = start + 60s;
    pacing.batch_done(later, 50ms, 200);
    CHECK(pacing.rest(later, backlog{2'999ms, 10}));
    pacing.held(later, 2s);
    CHECK(pacing.rest(later, backlog{999ms, 10}));
    CHECK_FALSE(pacing.rest(later, backlog{1'000ms, 10}));
}
