#include "confirm_window.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace flashsale::amqp;

namespace {

struct bench {
    explicit bench(std::size_t messages_max = 8) : window(messages_max) {}

    /// Tags are 101, 102 … for the numbers 1, 2 …
    void add(int messages) {
        for (int i = 0; i < messages; ++i) {
            ++tag;
            window.add(tag, confirm_window::time_point(std::chrono::seconds(tag - 100)));
        }
    }

    /// What was settled since the last call: tag and c, r or u.
    std::string settled() {
        std::string all;
        for (const auto& [one, what] : out) {
            if (!all.empty()) all += ' ';
            all += std::to_string(one) + (what == outcome::confirmed  ? 'c'
                                          : what == outcome::returned ? 'b'
                                          : what == outcome::refused  ? 'r'
                                                                      : 'u');
        }
        out.clear();
        return all;
    }

    static auto at(int second) { return confirm_window::time_point(std::chrono::seconds(second)); }

    confirm_window window;
    std::vector<confirm_window::settled> out;
    std::uint64_t tag = 100;
};

}  // namespace

TEST_CASE("confirm window: numbers begin at 1 and follow each other") {
    confirm_window window(3);
    CHECK(window.add(7, {}) == 1);
    CHECK(window.add(7, {}) == 2);
    std::vector<confirm_window::settled> out;
    window.ack(1, false, out);
    CHECK(window.add(7, {}) == 3);
}

TEST_CASE("confirm window: single and multiple acks, in and out of order") {
    bench b;
    b.add(5);
    b.window.ack(2, false, b.out);
    CHECK(b.settled() == "102c");
    b.window.ack(3, true, b.out);
    CHECK(b.settled() == "101c 103c");
    CHECK(b.window.size() == 2);
    b.window.ack(5, false, b.out);
    b.window.ack(4, false, b.out);
    CHECK(b.settled() == "105c 104c");
    CHECK(b.window.empty());
}

TEST_CASE("confirm window: multiple 0 means all") {
    bench b;
    b.add(3);
    b.window.ack(0, true, b.out);
    CHECK(b.settled() == "101c 102c 103c");
    CHECK(b.window.empty());
}

TEST_CASE("confirm window: a nack is a refusal") {
    bench b;
    b.add(3);
    b.window.nack(2, true, b.out);
    b.window.ack(3, false, b.out);
    CHECK(b.settled() == "101r 102r 103c");
}

TEST_CASE("confirm window: an ack after a return is a refusal, of that message alone") {
    bench b;
    b.add(3);
    CHECK(b.window.mark_returned(2));
    b.window.ack(3, true, b.out);
    CHECK(b.settled() == "101c 102b 103c");
    CHECK_FALSE(b.window.mark_returned(2));
    CHECK_FALSE(b.window.mark_returned(99));
    CHECK_FALSE(b.window.mark_returned(0));
}

TEST_CASE("confirm window: numbers that are not in it change nothing") {
    bench b;
    b.add(2);
    b.window.ack(1, false, b.out);
    CHECK(b.settled() == "101c");
    b.window.ack(1, false, b.out);
    b.window.ack(1, true, b.out);
    b.window.ack(0, false, b.out);
    b.window.ack(3, false, b.out);
    b.window.nack(99, false, b.out);
    CHECK(b.settled().empty());
    CHECK(b.window.size() == 1);
    b.window.ack(99, true, b.out);  // nonsense from the broker, still within the window
    CHECK(b.settled() == "102c");
}

TEST_CASE("confirm window: it is bounded from the oldest unsettled message on") {
    bench b(3);
    b.add(3);
    CHECK(b.window.full());
    b.window.ack(2, false, b.out);
    b.window.ack(3, false, b.out);
    CHECK(b.window.full());
    b.window.ack(1, false, b.out);
    CHECK(b.window.empty());
}

TEST_CASE("confirm window: the oldest is the oldest that somebody waits for") {
    bench b;
    CHECK_FALSE(b.window.oldest());
    b.add(3);
    CHECK(b.window.oldest() == bench::at(1));
    b.window.ack(1, false, b.out);
    CHECK(b.window.oldest() == bench::at(2));
    b.window.give_up(bench::at(3), b.out);
    CHECK(b.window.oldest() == bench::at(3));
}

TEST_CASE("confirm window: what was given up keeps its number until the broker speaks of it") {
    bench b(3);
    b.add(3);
    b.window.give_up(bench::at(3), b.out);
    CHECK(b.settled() == "101u 102u");
    CHECK(b.window.owed());
    CHECK(b.window.full());
    b.window.give_up(bench::at(3), b.out);
    CHECK(b.settled().empty());
    b.window.ack(3, true, b.out);
    CHECK(b.settled() == "103c");
    CHECK_FALSE(b.window.owed());
    CHECK(b.window.empty());
}

TEST_CASE("confirm window: a lost channel leaves all unsettled unknown, once, and begins again") {
    bench b;
    b.add(4);
    b.window.ack(2, false, b.out);
    b.window.give_up(bench::at(2), b.out);
    CHECK(b.settled() == "102c 101u");
    b.window.lose_all(b.out);
    CHECK(b.settled() == "103u 104u");
    CHECK(b.window.empty());
    CHECK_FALSE(b.window.owed());
    CHECK(b.window.add(9, {}) == 1);
}

TEST_CASE("confirm window: whatever the broker says, each message is settled exactly once") {
    std::minstd_rand random(7);
    const auto below = [&](std::uint64_t limit) {
        return std::uniform_int_distribution<std::uint64_t>{0, limit - 1}(random);
    };
    confirm_window window(16);
    std::vector<confirm_window::settled> out;
    std::uint64_t tag = 0;
    std::uint64_t number = 0;
    for (int step = 0; step < 50'000; ++step) {
        switch (below(8)) {
            case 0:
            case 1:
            case 2:
                if (window.full()) break;
                ++tag;
                number = window.add(tag, bench::at(static_cast<int>(tag)));
                break;
            case 3:
                window.ack(number - std::min(number, below(20)), false, out);
                break;
            case 4:
                window.ack(number - std::min(number, below(20)), below(2) == 0, out);
                break;
            case 5:
                window.nack(number - std::min(number, below(20)), below(4) == 0, out);
                break;
            case 6:
                window.mark_returned(number - std::min(number, below(20)));
                if (below(20) == 0) window.give_up(bench::at(static_cast<int>(tag)), out);
                break;
            case 7:
                if (below(50) == 0) {
                    window.lose_all(out);
                    number = 0;
                }
                break;
        }
    }
    window.lose_all(out);
    std::vector<int> times(tag + 1, 0);
    for (const auto& one : out)
        ++times[one.tag];
    CHECK(std::count(times.begin() + 1, times.end(), 1) == static_cast<std::ptrdiff_t>(tag));
}
