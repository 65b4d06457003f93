#include <catch2/catch.hpp>

#include "reserving/confirm_wait.hpp"

using namespace flashsale;
using namespace flashsale::stock;
using namespace std::chrono_literals;

namespace {

const confirm_wait::moment start = boot_clock::now();

/// Remembers every answer, so that a second one would show.
struct client {
    std::vector<std::expected<accepted, refusal>> answers;

    confirm_wait::waiter waiter(const uuid& id, confirm_wait::moment until) {
        return {{id, 100, false},
                [this](std::expected<accepted, refusal> answer) { answers.push_back(answer); },
                until};
    }
    bool was_accepted() const { return answers.size() == 1 && answers[0].has_value(); }
    bool is_unknown() const {
        return answers.size() == 1 && !answers[0] && answers[0].error() == errc::outcome_unknown;
    }
};

}  // namespace

TEST_CASE("confirm wait: a confirm in time accepts, once") {
    uuid_generator make;
    confirm_wait wait;
    client one;
    const uuid id = make.make();
    const auto ticket = wait.add(id, "event", uuid{}, one.waiter(id, start + 2s));
    REQUIRE(ticket.has_value());
    wait.confirmed(*ticket, true, start + 2s);
    CHECK(one.was_accepted());
    CHECK(one.answers[0]->id == id);
    wait.confirmed(*ticket, true, start + 2s);
    wait.expire(start + 1h);
    CHECK(one.answers.size() == 1);
    CHECK(wait.size() == 0);
}

TEST_CASE("confirm wait: a confirm handled after the deadline is unknown, however early it came") {
    uuid_generator make;
    confirm_wait wait;
    client one;
    const uuid id = make.make();
    const auto ticket = wait.add(id, "event", uuid{}, one.waiter(id, start + 2s));
    wait.confirmed(*ticket, true, start + 2s + 1ns);
    CHECK(one.is_unknown());
}

TEST_CASE("confirm wait: what the log refused or lost is unknown, never refused") {
    uuid_generator make;
    confirm_wait wait;
    client one;
    const uuid id = make.make();
    const auto ticket = wait.add(id, "event", uuid{}, one.waiter(id, start + 2s));
    wait.confirmed(*ticket, false, start);
    CHECK(one.is_unknown());
}

TEST_CASE("confirm wait: a twin joins the publication under way, and has no more time than it") {
    uuid_generator make;
    confirm_wait wait;
    client first, twin;
    const uuid id = make.make();
    const auto ticket = wait.add(id, "event", uuid{}, first.waiter(id, start + 2s));
    REQUIRE(ticket.has_value());
    CHECK_FALSE(wait.add(id, "event", uuid{}, twin.waiter(id, start + 3s)).has_value());
    SECTION("confirmed in that time") {
        wait.confirmed(*ticket, true, start + 2s);
        CHECK(first.was_accepted());
        CHECK(twin.was_accepted());
    }
    SECTION("confirmed later") {
        wait.confirmed(*ticket, true, start + 2s + 1ns);
        CHECK(first.is_unknown());
        CHECK(twin.is_unknown());
    }
    SECTION("not confirmed") {
        wait.expire(start + 2500ms);
        CHECK(first.is_unknown());
        CHECK(twin.is_unknown());
    }
}

TEST_CASE("confirm wait: a twin that has less time leaves before") {
    uuid_generator make;
    confirm_wait wait;
    client first, twin;
    const uuid id = make.make();
    const auto ticket = wait.add(id, "event", uuid{}, first.waiter(id, start + 2s));
    CHECK_FALSE(wait.add(id, "event", uuid{}, twin.waiter(id, start + 1s)).has_value());
    wait.confirmed(*ticket, true, start + 1500ms);
    CHECK(first.was_accepted());
    CHECK(twin.is_unknown());
}

TEST_CASE("confirm wait: under another token the same event is published too") {
    uuid_generator make;
    confirm_wait wait;
    client first, second;
    const uuid id = make.make(), token = make.make(), renewed = make.make();
    const auto old = wait.add(id, "event", token, first.waiter(id, start + 2s));
    const auto anew = wait.add(id, "event", renewed, second.waiter(id, start + 4s));
    REQUIRE(anew.has_value());
    wait.confirmed(*old, false, start + 1s);
    CHECK(first.is_unknown());
    CHECK(second.answers.empty());
    wait.confirmed(*anew, true, start + 3s);
    CHECK(second.was_accepted());
}

TEST_CASE("confirm wait: another gate's event of the same id is published too, and waited for") {
    uuid_generator make;
    confirm_wait wait;
    client first, second, third;
    const uuid id = make.make();
    const auto old = wait.add(id, "of epoch 1", uuid{}, first.waiter(id, start + 2s));
    const auto anew = wait.add(id, "of epoch 2", uuid{}, second.waiter(id, start + 4s));
    REQUIRE(anew.has_value());
    CHECK(*anew != *old);
    wait.confirmed(*old, true, start + 3s);
    CHECK(first.is_unknown());
    CHECK(second.answers.empty());
    CHECK_FALSE(wait.add(id, "of epoch 2", uuid{}, third.waiter(id, start + 4s)).has_value());
    wait.confirmed(*anew, true, start + 3s);
    CHECK(second.was_accepted());
    CHECK(third.was_accepted());
    CHECK(wait.add(id, "of epoch 2", uuid{}, client().waiter(id, start + 9s)).has_value());
}

TEST_CASE("confirm wait: deadlines pass in their own order, whichever gate answered first") {
    uuid_generator make;
    confirm_wait wait;
    client later, sooner;
    const uuid one = make.make(), other = make.make();
    REQUIRE(wait.add(one, "event", uuid{}, later.waiter(one, start + 4s)));
    REQUIRE(wait.add(other, "event", uuid{}, sooner.waiter(other, start + 2s)));
    wait.expire(start + 3s);
    CHECK(sooner.is_unknown());
    CHECK(later.answers.empty());
}

TEST_CASE("confirm wait: after the log has answered, a repeat is published anew") {
    uuid_generator make;
    confirm_wait wait;
    client first, second;
    const uuid id = make.make();
    const auto ticket = wait.add(id, "event", uuid{}, first.waiter(id, start + 2s));
    wait.confirmed(*ticket, false, start);
    const auto again = wait.add(id, "event", uuid{}, second.waiter(id, start + 2s));
    REQUIRE(again.has_value());
    CHECK(*again != *ticket);
    wait.confirmed(*again, true, start);
    CHECK(second.was_accepted());
}

TEST_CASE("confirm wait: expiry answers those whose time is up and keeps the rest") {
    uuid_generator make;
    confirm_wait wait;
    std::vector<client> clients(10);
    std::vector<std::uint64_t> tickets;
    for (std::size_t i = 0; i < clients.size(); ++i) {
        const uuid id = make.make();
        tickets.push_back(
            *wait.add(id, "event", uuid{}, clients[i].waiter(id, start + std::chrono::seconds(i))));
    }
    wait.expire(start + 4500ms);
    for (std::size_t i = 0; i < clients.size(); ++i)
        CHECK(clients[i].is_unknown() == (i < 5));
    for (const auto ticket : tickets)
        wait.confirmed(ticket, true, start + 4500ms);
    for (std::size_t i = 5; i < clients.size(); ++i)
        CHECK(clients[i].was_accepted());
    for (const auto& one : clients)
        CHECK(one.answers.size() == 1);
}
