// Each sum over the life of orders goes red when a row is changed by hand, and green when it is put
// back.

#include <catch2/catch.hpp>

#include "gates.hpp"
#include "held_orders.hpp"
#include "sql.hpp"

using namespace flashsale::test;
using database = sandbox::database;

namespace {

/// Recorded, with nothing on its way, and no process that would put anything right.
struct lives {
    sandbox world{with_gate("redis")};
    std::int64_t user = 0, product = 0;
    std::string paid, refunded, cancelled, held, owed;

    lives() {
        flashsale_process shop(world);
        auto client = shop.client();
        user = make_user(client, "ada");
        deposit(client, user, 1'000);
        product = make_held_product(client, {.stock = 10, .per_user_limit = 9});
        for (std::string* one : {&paid, &refunded, &cancelled, &held, &owed})
            *one = order_id(place_order(client, user, product, 1));
        REQUIRE(outcome(pay(client, paid)) == "201");
        REQUIRE(outcome(pay(client, refunded)) == "201");
        REQUIRE(outcome(refund(client, refunded)) == "201");
        REQUIRE(outcome(cancel(client, cancelled)) == "200");
        REQUIRE(outcome(tell(client, owed, "card", 99)) == "409 amount_mismatch");
        REQUIRE(becomes_available(client, product, 7));
        REQUIRE(eventually(20s, [&] { return balance(client, user) == 900; }));
        REQUIRE(eventually(20s, [&] {
            return world.number(database::order,
                                "SELECT count(*) FROM order_lives WHERE due_at < now() + interval "
                                "'1 minute'") == 0;
        }));
        REQUIRE(audit_fault(world) == "");
        REQUIRE(shop.terminate() == 0);
    }

    void check_tells(database where, const std::string& done, const std::string& undone,
                     const std::string& sum) const {
        INFO(done);
        world.sql(where, done);
        const auto audit = world.flashsale({"audit"});
        INFO(audit.output);
        CHECK(audit.exit_code == 1);
        CHECK(audit.output.contains(sum));
        world.sql(where, undone);
        const auto again = world.flashsale({"audit"});
        INFO(again.output);
        REQUIRE(again.exit_code == 0);
    }
};

constexpr const char* other_id = "'01a21f93-29c8-7000-8b26-a0385dc1003c'";
constexpr const char* long_ago = "now() - interval '10 minutes'";

std::string of(const std::string& order, const char* column = "order_id") {
    return std::string(" WHERE ") + column + " = '" + order + "'";
}

}  // namespace

TEST_CASE("audit: the sums of units of ended and of living orders tell what was falsified") {
    const lives all;
    constexpr auto one_to_one = "returns and ended orders match one to one";
    const std::string back = " AND kind = 'return'";
    all.check_tells(
        database::stock,
        "UPDATE movements SET id = " + std::string(other_id) + of(all.cancelled, "id") + back,
        "UPDATE movements SET id = '" + all.cancelled + "' WHERE id = " + other_id, one_to_one);
    all.check_tells(database::order,
                    "UPDATE orders SET order_status = 'EXPIRED'" + of(all.held, "id") +
                        "; UPDATE order_lives SET due_at = NULL" + of(all.held),
                    "UPDATE orders SET order_status = 'PENDING'" + of(all.held, "id") +
                        "; UPDATE order_lives SET due_at = expires_at" + of(all.held),
                    one_to_one);
    all.check_tells(
        database::order, "UPDATE orders SET order_status = 'PENDING'" + of(all.cancelled, "id"),
        "UPDATE orders SET order_status = 'CANCELLED'" + of(all.cancelled, "id"), one_to_one);
    all.check_tells(database::stock, "UPDATE products SET per_user_limit = 2",
                    "UPDATE products SET per_user_limit = 9", "no user above the limit");
    // Ended units do not count: three are left to a limit of three.
    all.world.sql(database::stock, "UPDATE products SET per_user_limit = 3");
    CHECK(all.world.flashsale({"audit"}).exit_code == 0);
    all.world.sql(database::stock, "UPDATE products SET per_user_limit = 9");
    const auto supplied =
        std::to_string(all.world.number(database::stock, "SELECT supplied FROM products"));
    const auto stock =
        std::to_string(all.world.number(database::stock, "SELECT stock FROM products"));
    all.check_tells(database::stock, "UPDATE products SET supplied = 2, stock = 0",
                    "UPDATE products SET supplied = " + supplied + ", stock = " + stock,
                    "sold + reduced <= supplied");
    all.check_tells(database::stock, "UPDATE products SET returned = returned + 1",
                    "UPDATE products SET returned = returned - 1", "returned = sum of returns");
    all.check_tells(database::stock, "UPDATE buyer_returns SET returned = returned + 1",
                    "UPDATE buyer_returns SET returned = returned - 1",
                    "a buyer's returns = sum of the buyer's returned orders");
}

TEST_CASE("audit: what was begun long ago and not finished is a fault") {
    const lives all;
    constexpr auto finished = "what was begun is finished";
    const std::string since_long = std::string("status_since = ") + long_ago;
    all.check_tells(database::order,
                    "UPDATE order_lives SET due_at = now(), " + since_long + of(all.cancelled),
                    "UPDATE order_lives SET due_at = NULL" + of(all.cancelled), finished);
    all.check_tells(database::order,
                    "UPDATE order_lives SET " + since_long + of(all.held) +
                        "; UPDATE orders SET order_status = 'PAYING'" + of(all.held, "id"),
                    "UPDATE orders SET order_status = 'PENDING'" + of(all.held, "id"), finished);
    all.check_tells(database::order,
                    std::string("UPDATE order_lives SET due_at = ") + long_ago + of(all.held),
                    "UPDATE order_lives SET due_at = expires_at" + of(all.held), finished);
    all.check_tells(database::order,
                    std::string("UPDATE refunds SET state = 'pending', done_at = NULL,"
                                " created_at = ") +
                        long_ago + of(all.refunded) + "; UPDATE payments SET state = 'refund_due'" +
                        of(all.refunded),
                    "UPDATE refunds SET state = 'succeeded', done_at = now()" + of(all.refunded) +
                        "; UPDATE payments SET state = 'refunded'" + of(all.refunded),
                    finished);
    all.check_tells(database::order,
                    std::string("UPDATE payments SET state = 'started', decided_at = NULL,"
                                " received_at = ") +
                        long_ago + " WHERE reference = 'card'",
                    "UPDATE payments SET state = 'refund_due', decided_at = now() WHERE reference ="
                    " 'card'",
                    finished);
}

TEST_CASE("audit: the sums of money tell what was falsified") {
    const lives all;
    constexpr auto one_payment = "every paid order has one payment of its total",
                   one_refund = "every payment that goes back has one refund of its amount";
    all.check_tells(database::user, "UPDATE users SET balance = balance + 1",
                    "UPDATE users SET balance = balance - 1", "balance = sum of entries");
    all.check_tells(
        database::order, "UPDATE payments SET order_id = '" + all.held + "'" + of(all.paid),
        "UPDATE payments SET order_id = '" + all.paid + "'" + of(all.held), one_payment);
    all.check_tells(database::order, "UPDATE payments SET amount = amount + 1" + of(all.paid),
                    "UPDATE payments SET amount = amount - 1" + of(all.paid), one_payment);
    all.check_tells(database::order,
                    "UPDATE orders SET order_status = 'PENDING'" + of(all.paid, "id"),
                    "UPDATE orders SET order_status = 'PAID'" + of(all.paid, "id"), one_payment);
    all.check_tells(database::order, "UPDATE orders SET order_status = 'PAID'" + of(all.held, "id"),
                    "UPDATE orders SET order_status = 'PENDING'" + of(all.held, "id"), one_payment);
    all.check_tells(database::user,
                    "DROP INDEX charge_decisions_one_taken; INSERT INTO charge_decisions SELECT " +
                        std::string(other_id) +
                        "::uuid, order_id, user_id, amount, true, now() FROM charge_decisions" +
                        of(all.paid),
                    "DELETE FROM charge_decisions WHERE payment_id = " + std::string(other_id),
                    "at most one payment of an order is taken");
    all.check_tells(database::order, "UPDATE refunds SET amount = amount + 1" + of(all.refunded),
                    "UPDATE refunds SET amount = amount - 1" + of(all.refunded), one_refund);
    all.check_tells(database::order,
                    "UPDATE refunds SET payment_id = " + std::string(other_id) + of(all.refunded),
                    "UPDATE refunds SET payment_id = (SELECT id FROM payments" + of(all.refunded) +
                        ")" + of(all.refunded),
                    one_refund);
    const std::string given_back = " WHERE kind = 'refund'";
    all.check_tells(database::user,
                    "UPDATE balance_entries SET order_id = '" + all.held + "'" + given_back,
                    "UPDATE balance_entries SET order_id = '" + all.refunded + "'" + given_back,
                    "refunds and what balances got back match one to one");
    all.check_tells(database::order,
                    "UPDATE refunds SET amount = amount - 1 WHERE order_id = '" + all.owed + "'",
                    "UPDATE refunds SET amount = amount + 1 WHERE order_id = '" + all.owed + "'",
                    one_refund);
    all.check_tells(database::order,
                    "UPDATE payments SET state = 'failed' WHERE reference = 'card'",
                    "UPDATE payments SET state = 'refund_due' WHERE reference = 'card'",
                    "money that came in has paid, or goes back");
}
