// Holds that end while something is away: the databases, the gate, or the right time.

#include <thread>

#include "cell.hpp"
#include "faked_clock.hpp"
#include "life.hpp"

namespace flashsale::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using database = sandbox::database;

constexpr std::int64_t stock = 20'000;
constexpr std::int64_t long_window_s = 3'600;

std::int64_t recorded_of(world& w, std::int64_t product) {
    return w.place().number(database::order, "SELECT count(*) FROM orders WHERE product_id = " +
                                                 std::to_string(product));
}

/// So many orders; all other units are sold.
void until_all_are_back(world& w, std::int64_t product, std::int64_t orders,
                        std::int64_t sold = 0) {
    w.until("every hold's end", [&] { return orders_that_are(w, product, "EXPIRED") == orders; });
    patient_client client(w);
    w.until("every unit for sale again", [&] { return client.available(product) == stock - sold; });
}

// ---- the databases are away for longer than the hold

constexpr auto back_within = 60s;  ///< on a machine that has much else to do

void away_longer_than_the_hold(world& w) {
    patient_client client(w);
    const auto buyer = client.make_user("away", 1'000 * life_price);
    const auto brief = client.make_product("brief", stock, 2);
    const auto patient = client.make_product("patient", stock, long_window_s);
    std::vector<std::string> held, to_pay;
    // Through each process, which knows the buyer and the product from then on.
    for (int i = 0; i < 100; ++i)
        held.push_back(client.order_of(buyer, brief));
    for (int i = 0; i < 30; ++i)
        to_pay.push_back(client.order_of(buyer, patient));
    w.until("the orders in the record", [&] {
        return recorded_of(w, brief) == std::ssize(held) &&
               recorded_of(w, patient) == std::ssize(to_pay);
    });
    std::atomic<int> paid{0};
    in_parallel(
        w, 8, to_pay.size(),
        [&](std::size_t i, patient_client& one) { paid += one.pay(to_pay[i]).status == 201; },
        [&] {
            outage down(stack::server::postgres, outage::kind::killed);
            w.fault();
            for (int i = 0; i < 100; ++i)
                held.push_back(client.order_of(buyer, brief));
            w.wait(4s);
            down.end();
        });
    const auto back = steady::now();
    until_all_are_back(w, brief, std::ssize(held));
    if (steady::now() - back > back_within) w.complain("holds ended long after the databases came");
    for (const std::string& one : held) {
        if (client.pay(one).status != 409) w.complain("paid for after its end: order " + one);
    }
    if (paid != std::ssize(to_pay)) w.complain("not all that could be paid for were");
    add_up_lives(w, {brief, patient});
    w.sell(50);
}

// ---- the clock of one process is ahead

/// Ends are by the order database's clock, and begin by the gate's; whose process it is does not
/// matter.
void clock_ahead_of_the_hold(world& w) {
    patient_client client(w);
    const auto buyer = client.make_user("ahead", 1'000 * life_price);
    const auto brief = client.make_product("brief", stock, 4);
    http_client ahead(w.port(0));
    std::vector<std::string> paid, left;
    for (int i = 0; i < 40; ++i) {
        const std::string order = client.order_of(buyer, brief);
        if (i % 2 == 0) {
            left.push_back(order);
            continue;
        }
        // To that process it is over.
        const auto answer =
            ahead.post("/v1/orders/" + order + "/payments", json::value{{"method", "balance"}},
                       {{"Idempotency-Key", "pay"}});
        if (answer.status == 201)
            paid.push_back(order);
        else if (client.pay(order).status == 201)
            paid.push_back(order);
        else
            left.push_back(order);
    }
    w.fault();
    if (paid.size() < 15) {
        w.complain("only " + std::to_string(paid.size()) +
                   " of 20 orders could be paid for in time where the clock is ahead");
    }
    until_all_are_back(w, brief, std::ssize(left), std::ssize(paid));
    add_up_lives(w, {brief});
    w.sell(50);
}

// ---- the gate is away

void flush_while_ten_thousand_end(world& w) {
    constexpr std::size_t orders = 10'000;
    patient_client client(w);
    const auto buyer = client.make_user("ten thousand", 0);
    const auto patient = client.make_product("patient", stock, long_window_s);
    in_parallel(w, 16, orders,
                [&](std::size_t, patient_client& one) { (void)one.place(buyer, patient); });
    w.until("the orders in the record",
            [&] { return recorded_of(w, patient) == static_cast<std::int64_t>(orders); });
    // Who can place so many within a second has another machine.
    w.place().sql(database::order,
                  "UPDATE order_lives l SET expires_at = now() + interval '1 second', due_at = "
                  "now() + interval '1 second' FROM orders o WHERE o.id = l.order_id AND "
                  "o.product_id = " +
                      std::to_string(patient));
    const auto ended = [&] { return orders_that_are(w, patient, "EXPIRED"); };
    w.until("the first ends", [&] { return ended() > 0; });
    stack::redis_cli({"FLUSHALL"});
    w.fault();
    w.until("half of the ends", [&] { return ended() >= std::int64_t{orders / 2}; });
    stack::redis_cli({"FLUSHALL"});
    w.fault();
    until_all_are_back(w, patient, orders);
    add_up_lives(w, {patient});
    w.sell(50);
}

/// A process that rebuilds falls asleep; meanwhile holds end, and the gate cannot be told.
void end_while_rebuilding(world& w) {
    patient_client client(w);
    const auto buyer = client.make_user("rebuilt", 0);
    const auto brief = client.make_product("brief", stock, 3);
    constexpr std::int64_t orders = 200;
    in_parallel(w, 8, orders,
                [&](std::size_t, patient_client& one) { (void)one.place(buyer, brief); });
    w.until("the orders in the record", [&] { return recorded_of(w, brief) == orders; });
    stack::redis_cli({"FLUSHALL"});
    w.fault();
    w.until("a rebuilder asleep", [&] { return w.asleep(0) || w.asleep(1); });
    w.until("every hold's end", [&] { return orders_that_are(w, brief, "EXPIRED") == orders; });
    w.until("their returns", [&] {
        return w.place().number(database::stock, "SELECT returned FROM products WHERE id = " +
                                                     std::to_string(brief)) == orders;
    });
    w.kill(w.asleep(0) ? 0 : 1, SIGCONT);
    until_all_are_back(w, brief, orders);
    add_up_lives(w, {brief});
    w.sell(50);
}

cell asleep_behind(const std::string& step) {
    cell out{"life: holds end while a rebuild is asleep behind " + step, end_while_rebuilding};
    out.crash_points = true;
    out.options.first_life = {{"FLASHSALE_STOP", step + ":1"}};
    // No other process rebuilds meanwhile.
    out.options.variables = {{"FLASHSALE_RECOVERY__LEASE_MS", "600000"}};
    return out;
}

}  // namespace

std::vector<cell> hold_cells() {
    cell away{"life: the databases away for longer than the hold", away_longer_than_the_hold};
    cell ahead{"life: the clock of one process 5 s ahead", clock_ahead_of_the_hold};
    ahead.options.armed = 1;
    ahead.options.first_life = wall_clock_off("+5s");
    cell many{"life: redis: FLUSHALL while 10,000 holds end", flush_while_ten_thousand_end};
    many.damages = {stack::server::redis};
    return {away, ahead, many, asleep_behind("rebuild_begin_loading"),
            asleep_behind("rebuild_load")};
}

}  // namespace flashsale::test
