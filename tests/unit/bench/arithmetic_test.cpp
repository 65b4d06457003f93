#include "record/arithmetic.hpp"

#include <catch2/catch.hpp>

using namespace flashsale;
using namespace flashsale::bench;

namespace {

/// Ten units of product 5, limit 2: six users bought one each, and four are left.
struct books {
    uuid_generator ids;
    sale clients;
    record databases;

    books() {
        clients.products = {{5, 10, 2}};
        databases.products = {{5, 10, 4}};
        databases.movements = {{ids.make(), 5, 10, movement_kind::initial}};
        for (std::int64_t user = 1; user <= 6; ++user) {
            const wanted_order wanted{user, 5, 1, "key-" + std::to_string(user)};
            const auto id = ids.make();
            clients.accepted.push_back({id, wanted, true});
            store(id, wanted);
        }
    }

    void store(const uuid& id, const wanted_order& wanted) {
        databases.orders.push_back({id, wanted.user, wanted.product, wanted.quantity, wanted.key});
        databases.movements.push_back({id, wanted.product, -wanted.quantity, movement_kind::sale});
    }

    /// Stores an order that the stock pays for, so that only what is wrong about it shows.
    void store_paid(const uuid& id, const wanted_order& wanted) {
        store(id, wanted);
        databases.products[0].stock -= wanted.quantity;
    }

    sums add() const { return add_up(clients, databases); }
};

/// All but the one named are zero.
void check_only(const sums& found, std::int64_t sums::* expected, std::int64_t value = 1) {
    for (const auto member :
         {&sums::oversold, &sums::limit_exceeded, &sums::lost, &sums::duplicated, &sums::phantom,
          &sums::stray_movements, &sums::unbalanced}) {
        CHECK(found.*member == (member == expected ? value : 0));
    }
    CHECK_FALSE(found.hold());
    CHECK_FALSE(found.findings.empty());
}

}  // namespace

TEST_CASE("arithmetic: honest books hold") {
    const auto found = books{}.add();
    CHECK(found.hold());
    CHECK(found.stored == 6);
    CHECK(found.findings.empty());
}

TEST_CASE("arithmetic: a lost order") {
    books wrong;
    SECTION("its row and movement are gone") {
        wrong.databases.orders.pop_back();
        wrong.databases.movements.pop_back();
        wrong.databases.products[0].stock += 1;
        const auto found = wrong.add();
        check_only(found, &sums::lost);
        CHECK_THAT(found.findings[0], Catch::Contains(wrong.clients.accepted[5].id.to_string()));
    }
    SECTION("its movement is gone") {
        wrong.databases.movements.pop_back();
        wrong.databases.products[0].stock += 1;
        check_only(wrong.add(), &sums::lost);
    }
    SECTION("its row names another user") {
        wrong.databases.orders[0].user = 99;
        check_only(wrong.add(), &sums::lost);
    }
    SECTION("its row names another key") {
        wrong.databases.orders[0].key = "other";
        check_only(wrong.add(), &sums::lost);
    }
    SECTION("its row names another quantity") {
        wrong.databases.orders[0].quantity = 2;
        check_only(wrong.add(), &sums::lost);
    }
    SECTION("the answer named something else") {
        wrong.clients.accepted[0].echoed = false;
        check_only(wrong.add(), &sums::lost);
    }
}

TEST_CASE("arithmetic: a doubled order") {
    books wrong;
    const auto& first = wrong.clients.accepted[0];
    SECTION("one key stored under two ids, and nobody was told of the second") {
        wrong.store_paid(wrong.ids.make(), first.wanted);
        const auto found = wrong.add();
        CHECK(found.duplicated == 1);
        CHECK(found.phantom == 1);
        CHECK(found.lost == 0);
        CHECK_FALSE(found.hold());
    }
    SECTION("one key answered with two ids") {
        const auto second = wrong.ids.make();
        wrong.store_paid(second, first.wanted);
        wrong.clients.accepted.push_back({second, first.wanted, true});
        const auto found = wrong.add();
        CHECK(found.duplicated == 2);  // in the rows and in the answers
        CHECK(found.phantom == 0);
    }
    SECTION("one id answered for two keys") {
        wanted_order other = first.wanted;
        other.key = "other";
        wrong.clients.accepted.push_back({first.id, other, true});
        const auto found = wrong.add();
        CHECK(found.duplicated == 1);
        CHECK(found.lost == 1);  // one of the two has no row of its own
    }
    SECTION("one id stored twice") {
        wrong.databases.orders.push_back(wrong.databases.orders[0]);
        CHECK(wrong.add().duplicated == 2);  // the id, and the key
    }
}

TEST_CASE("arithmetic: an oversold product") {
    books wrong;
    for (std::int64_t user = 7; user <= 11; ++user) {
        const wanted_order wanted{user, 5, 1, "key-" + std::to_string(user)};
        const auto id = wrong.ids.make();
        wrong.clients.accepted.push_back({id, wanted, true});
        wrong.store(id, wanted);
    }
    wrong.databases.products[0].stock = -1;
    const auto found = wrong.add();
    CHECK(found.oversold == 1);
    CHECK(found.unbalanced == 1);
    CHECK(found.lost == 0);
    CHECK_FALSE(found.hold());

    // A database that claims to have been given more is not believed.
    wrong.databases.products[0] = {5, 11, 0};
    wrong.databases.movements[0].delta = 11;
    CHECK(wrong.add().oversold == 1);
}

TEST_CASE("arithmetic: a user above the limit") {
    books wrong;
    for (int i = 0; i < 3; ++i) {
        const wanted_order wanted{1, 5, 1, "more-" + std::to_string(i)};
        const auto id = wrong.ids.make();
        wrong.clients.accepted.push_back({id, wanted, true});
        wrong.store_paid(id, wanted);
    }
    check_only(wrong.add(), &sums::limit_exceeded, 2);
    wrong.clients.products[0].per_user_limit.reset();
    CHECK(wrong.add().hold());
}

TEST_CASE("arithmetic: an order that nobody was told of") {
    books wrong;
    const wanted_order wanted{7, 5, 1, "key-7"};
    wrong.store_paid(wrong.ids.make(), wanted);
    check_only(wrong.add(), &sums::phantom);
    wrong.clients.unsure.push_back(wanted);
    CHECK(wrong.add().hold());
}

TEST_CASE("arithmetic: movements and stock that do not match") {
    books wrong;
    SECTION("stock moved by hand") {
        wrong.databases.products[0].stock += 1;
        check_only(wrong.add(), &sums::unbalanced);
    }
    SECTION("given more than we gave") {
        wrong.databases.products[0] = {5, 11, 5};
        wrong.databases.movements[0].delta = 11;
        check_only(wrong.add(), &sums::unbalanced);
    }
    SECTION("no such product") {
        wrong.databases.products.clear();
        check_only(wrong.add(), &sums::unbalanced);
    }
    SECTION("a sale without an order") {
        wrong.databases.movements.push_back({wrong.ids.make(), 5, -1, movement_kind::sale});
        wrong.databases.products[0].stock -= 1;
        check_only(wrong.add(), &sums::stray_movements);
    }
    SECTION("a sale recorded twice") {
        wrong.databases.movements.push_back(wrong.databases.movements[1]);
        wrong.databases.products[0].stock -= 1;
        check_only(wrong.add(), &sums::stray_movements);
    }
    SECTION("a sale movement that names another product") {
        wrong.databases.movements[1].product = 6;
        wrong.databases.products[0].stock += 1;
        check_only(wrong.add(), &sums::lost);
    }
    SECTION("reductions and parked events are no fault") {
        wrong.databases.movements.push_back({wrong.ids.make(), 5, -3, movement_kind::reduction});
        wrong.databases.products[0].stock -= 3;
        wrong.databases.parked = 2;
        CHECK(wrong.add().hold());
        CHECK(wrong.add().parked == 2);
    }
}
