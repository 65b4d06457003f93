#include "outbox_view.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <catch2/catch.hpp>
#include <flashsale/events/event.hpp>

#include <deque>

using namespace flashsale;
using namespace flashsale::order;
using namespace std::chrono_literals;

namespace {

const timestamp noon{1'800'000'000s};

/// Its outbox comes in pages, each when the test says so.
class paged_gate final : public stock::outbox_pages {
public:
    void read_outbox(std::uint32_t, std::string cursor,
                     callback<std::expected<outbox_page, stock::errc>> done) override {
        cursors.push_back(std::move(cursor));
        asked.push_back(std::move(done));
    }

    std::vector<std::string> cursors;
    std::deque<callback<std::expected<outbox_page, stock::errc>>> asked;
};

class fenced_store final : public store {
public:
    awaitable<std::expected<std::optional<flashsale::order::order>, store_errc>> find(
        uuid) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::optional<std::string>, store_errc>> find_parked(uuid) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::vector<flashsale::order::payment>, store_errc>> payments(
        uuid) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::vector<flashsale::order::order_change>, store_errc>> changes(
        uuid) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::uint64_t, store_errc>> newest_gate(std::uint32_t) override {
        co_return fence;
    }
    awaitable<std::expected<std::vector<flashsale::order::order>, store_errc>> list(
        std::int64_t, std::optional<uuid>, std::int64_t) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::vector<user_order>, store_errc>> list_by_key(
        std::int64_t, user_order_place, std::int64_t) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::vector<recorded_order_view>, store_errc>> list_of_product(
        std::int64_t, std::int64_t, std::int64_t) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }

    std::uint64_t fence = 1;
};

struct viewer {
    explicit viewer(outbox_view::options limits = {.rest_min = 1ms, .rest_factor = 0}) {
        view.emplace(io, gate, record, 1, limits);
    }

    /// A question; its answer comes into `answers`, at its place.
    std::size_t ask() {
        const std::size_t place = answers.size();
        answers.emplace_back();
        asio::co_spawn(io, view->read(),
                       [this, place](std::exception_ptr, outbox_view::answer found) {
                           answers[place] = {true, std::move(found)};
                       });
        return place;
    }
    void run(const std::function<bool()>& until) {
        const auto limit = std::chrono::steady_clock::now() + 60s;
        while (!until()) {
            if (std::chrono::steady_clock::now() > limit) FAIL("it did not come");
            io.restart();
            io.run_for(1ms);
        }
    }
    void answer_gate(std::expected<stock::outbox_pages::outbox_page, stock::errc> page) {
        run([&] { return !gate.asked.empty(); });
        auto done = std::move(gate.asked.front());
        gate.asked.pop_front();
        done(std::move(page));
    }
    outbox_view::answer answer_to(std::size_t place) {
        run([&] { return answers[place].first; });
        return answers[place].second;
    }

    std::string event(std::int64_t user, std::int64_t product, timestamp at) {
        events::order_accepted one;
        one.id = make.make(0, at);
        one.user_id = user;
        one.product_id = product;
        one.quantity = 1;
        one.idempotency_key = "key";
        one.created_at = at;
        one.unit_price = 999;
        one.epoch = 1;
        one.seq = ++seq;
        return events::granted_text(one);
    }
    static stock::outbox_pages::outbox_page page(std::vector<std::string> all, timestamp at = noon,
                                                 std::string next = {}, std::uint64_t epoch = 1) {
        return {std::move(all), std::move(next), epoch, at};
    }

    asio::io_context io;
    paged_gate gate;
    fenced_store record;
    std::deque<std::pair<bool, outbox_view::answer>> answers;
    uuid_generator make;
    std::uint64_t seq = 0;
    std::optional<outbox_view> view;
};

}  // namespace

TEST_CASE("outbox view: all pages, by user, as of when the first was read") {
    viewer at;
    const auto first = at.ask();
    at.answer_gate(
        at.page({at.event(7, 3, noon - 2s), at.event(8, 3, noon - 3s)}, noon + 1us, "x"));
    at.answer_gate(at.page({at.event(7, 4, noon - 1s), "no event"}, noon + 9s));
    const auto found = at.answer_to(first);
    REQUIRE(found);
    CHECK(at.gate.cursors == std::vector<std::string>{"", "x"});
    CHECK(found->read_at == noon);  // within the millisecond there may be more
    CHECK(found->of_user.at(7).size() == 2);
    CHECK(found->of_user.at(8).size() == 1);
    CHECK(found->oldest_of_product.at(3) == noon - 3s);
    CHECK(found->oldest_of_product.at(4) == noon - 1s);
}

TEST_CASE("outbox view: who asks while it is read waits for the next, together with all others") {
    viewer at;
    const auto first = at.ask();
    at.run([&] { return at.gate.asked.size() == 1; });
    const auto second = at.ask(), third = at.ask();
    at.answer_gate(at.page({}, noon));
    CHECK(at.answer_to(first)->read_at == noon);
    at.run([&] { return at.gate.asked.size() == 1; });
    CHECK_FALSE(at.answers[second].first);
    at.answer_gate(at.page({}, noon + 1s));
    CHECK(at.answer_to(second)->read_at == noon + 1s);
    CHECK(at.answer_to(third) == at.answer_to(second));
    CHECK(at.gate.cursors.size() == 2);
}

TEST_CASE("outbox view: who would wait for long gets the last one") {
    viewer at({.patience = 0ms, .rest_min = 1h});
    const auto first = at.ask();
    at.answer_gate(at.page({}, noon));
    CHECK(at.answer_to(first)->read_at == noon);
    CHECK(at.answer_to(at.ask()) == at.answer_to(first));
    CHECK(at.gate.cursors.size() == 1);
}

TEST_CASE("outbox view: what cannot be relied on changes nothing") {
    viewer at({.orders_max = 2, .rest_min = 1ms, .rest_factor = 0});
    const auto nothing = at.ask();
    at.answer_gate(std::unexpected(stock::errc::rebuilding));
    CHECK(at.answer_to(nothing) == nullptr);

    const auto good = at.ask();
    at.answer_gate(at.page({at.event(7, 3, noon)}, noon));
    const auto known = at.answer_to(good);
    REQUIRE(known);

    SECTION("a gate that does not answer") {
        const auto asked = at.ask();
        at.answer_gate(std::unexpected(stock::errc::dependency_unavailable));
        CHECK(at.answer_to(asked) == known);
    }
    SECTION("a gate that was replaced, and does not know it") {
        at.record.fence = 2;
        const auto asked = at.ask();
        at.answer_gate(at.page({}, noon + 1s));
        CHECK(at.answer_to(asked) == known);
    }
    SECTION("two gates, one after the other") {
        const auto asked = at.ask();
        at.answer_gate(at.page({}, noon + 1s, "x"));
        at.answer_gate(at.page({}, noon + 2s, {}, 2));
        CHECK(at.answer_to(asked) == known);
    }
    SECTION("more than may be read") {
        const auto asked = at.ask();
        at.answer_gate(at.page({"1", "2", "3"}, noon + 1s, "x"));
        CHECK(at.answer_to(asked) == known);
    }
    const auto again = at.ask();
    at.record.fence = 1;
    at.answer_gate(at.page({}, noon + 3s));
    CHECK(at.answer_to(again)->read_at == noon + 3s);
}
