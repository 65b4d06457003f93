// Payments that meet something else on their way: another payer, the end of the hold, a cancel, an
// empty gate, or no user database.

#include <flashsale/base/time.hpp>

#include <future>
#include <random>
#include <thread>

#include "cell.hpp"
#include "life.hpp"

namespace flashsale::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using database = sandbox::database;

constexpr std::int64_t stock = 1'000;
constexpr std::int64_t long_window_s = 3'600;

std::string text(const json::value& of, const char* member) {
    return std::string(of.at(member).as_string());
}

void expect(world& w, const std::string& what, const std::string& expected,
            const std::string& found) {
    if (expected != found) w.complain(what + ": " + found + ", to be " + expected);
}
void expect(world& w, const std::string& what, std::int64_t expected, std::int64_t found) {
    expect(w, what, std::to_string(expected), std::to_string(found));
}

// ---- a payer that sleeps

/// The first process begins to pay for the order, and falls asleep on the way. Wakes it, and has
/// its answer.
class sleeping_payer {
public:
    sleeping_payer(world& w, const std::string& place, const std::string& order) : w_(w) {
        w.stop(0);
        w.start(0, {{"FLASHSALE_STOP", place + ":1"},
                    {"FLASHSALE_RECORDER__ENABLED", "false"},
                    {"FLASHSALE_RECOVERY__RECONCILE_INTERVAL_MS", "3600000"}});
        answer_ = std::async(std::launch::async, [port = w.port(0), order] {
            return http_client(port, "127.0.0.1", 120s)
                .post("/v1/orders/" + order + "/payments", json::value{{"method", "balance"}},
                      {{"Idempotency-Key", "pay"}})
                .status;
        });
        w.until("a payer asleep", [&] { return w.asleep(0); });
        w.fault();
    }
    unsigned wake() {
        w_.kill(0, SIGCONT);
        w_.until("the sleeper's answer",
                 [&] { return answer_.wait_for(0s) == std::future_status::ready; });
        return answer_.get();
    }

private:
    world& w_;
    std::future<unsigned> answer_;
};

/// The answer that its client has, unless it is told that the outcome is unknown.
void wake(world& w, sleeping_payer& payer, const char* what, unsigned expected) {
    const unsigned status = payer.wake();
    if (status != expected && status != 503)
        w.complain(std::string(what) + ": its payer is told " + std::to_string(status));
}

/// Another process takes the money for it, and there is more.
void taken_by_another(world& w, const char* place, std::int64_t product) {
    patient_client client(w);
    const auto rich = client.make_user("rich", life_price);
    const std::string order = client.order_of(rich, product);
    sleeping_payer payer(w, place, order);
    w.until("another's payment", [&] { return client.status(order) == "PAID"; });
    client.deposit(rich, life_price);
    wake(w, payer, "taken by another process", 201);
    expect(w, "what was deposited meanwhile", life_price, client.balance(rich));
}

void put_right(world& w, const std::vector<std::int64_t>& products) {
    w.stop(0);
    w.start(0);
    add_up_lives(w, products);
    w.sell(50);
}

void sleep_before_the_debit(world& w) {
    patient_client client(w);
    const auto brief = client.make_product("brief", stock, 8);
    const auto patient = client.make_product("patient", stock, long_window_s);
    {  // Another declines for it, and ends the hold; then there is money.
        const auto poor = client.make_user("poor", 0);
        const std::string order = client.order_of(poor, brief);
        sleeping_payer payer(w, "payment_started", order);
        w.until("its end", [&] { return client.status(order) == "EXPIRED"; });
        w.until("its unit", [&] { return client.available(brief) == stock; });
        client.deposit(poor, life_price);
        wake(w, payer, "declined, expired, then there was money", 402);
        expect(w, "the order that has expired", "EXPIRED", client.status(order));
        expect(w, "the balance that came too late", life_price, client.balance(poor));
    }
    {  // Another declines for it, there is money, and it is paid for by another payment.
        const auto other = client.make_user("other", 0);
        const std::string order = client.order_of(other, patient);
        sleeping_payer payer(w, "payment_started", order);
        w.until("a payment declined", [&] {
            return w.place().number(database::order,
                                    "SELECT count(*) FROM payments WHERE state = 'failed' AND "
                                    "order_id = '" +
                                        order + "'") == 1;
        });
        client.deposit(other, 2 * life_price);
        expect(w, "another payment", 201, client.pay(order, "again").status);
        wake(w, payer, "declined, and paid for by another payment", 402);
        expect(w, "the order that is paid for", "PAID", client.status(order));
        expect(w, "what is left of twice its price", life_price, client.balance(other));
    }
    taken_by_another(w, "payment_started", patient);
    put_right(w, {brief, patient});
}

void sleep_behind_the_debit(world& w) {
    patient_client client(w);
    const auto patient = client.make_product("patient", stock, long_window_s);
    taken_by_another(w, "payment_decided", patient);
    put_right(w, {patient});
}

// ---- two at once

/// What became of a number of orders, by what their clients were told.
struct outcomes {
    std::atomic<int> paid{0}, ended{0}, bought_again{0}, strange{0};
};

/// Either the money or the end was first, and both clients say the same.
void note(outcomes& all, const std::string& order, const http_response& payment,
          const std::string& status, const std::string& end) {
    if (payment.status == 201) {
        const std::string of = text(payment.json(), "order_id");
        if (of != order) {
            ++all.bought_again;
            all.strange += status != end;
        } else {
            ++all.paid;
            all.strange += status != "PAID";
        }
        return;
    }
    ++all.ended;
    all.strange += payment.status != 409 || status != end;
}

void complain_about(world& w, const outcomes& all, const char* what) {
    if (all.strange > 0)
        w.complain(std::to_string(all.strange) + " orders are not what their clients were told");
    if (all.paid == 0 || all.ended + all.bought_again == 0)
        throw std::runtime_error(std::string("nothing raced: ") + what);
    w.fault(static_cast<std::uint64_t>(all.paid + all.ended + all.bought_again));
}

http_response pay_or_tell(patient_client& client, std::size_t i, const std::string& order) {
    return i % 3 == 2 ? client.tell(order) : client.pay(order);
}

void pay_as_the_hold_ends(world& w) {
    patient_client client(w);
    const auto buyer = client.make_user("racing", 1'000 * life_price);
    const auto brief = client.make_product("brief", stock, 2);
    outcomes all;
    std::atomic<int> aim{-100};  // ms before the end of a hold, so that it is as likely paid for
    in_parallel(w, 12, 180, [&](std::size_t i, patient_client& one) {
        std::minstd_rand random(static_cast<unsigned>(w.seed() * 1'000 + i));
        const auto made = one.place(buyer, brief);
        const std::string order = text(made, "id");
        const auto jitter = std::uniform_int_distribution<int>(-60, 60)(random);
        const auto end = parse_rfc3339(text(made, "expires_at")).value();
        std::this_thread::sleep_for(end - wall_clock_now() +
                                    std::chrono::milliseconds(aim + jitter));
        const auto payment = pay_or_tell(one, i, order);
        std::string status;
        do {
            status = one.status(order);
        } while (status == "PENDING");  // it is EXPIRED in a moment
        note(all, order, payment, status, "EXPIRED");
        // On a busy machine a payment takes longer: one that was late makes the next one earlier.
        aim += status == "PAID" ? 20 : -20;
    });
    add_up_lives(w, {brief});
    complain_about(w, all, "payments and ends of holds");
    w.sell(50);
}

void cancel_as_it_is_paid_for(world& w) {
    patient_client client(w);
    const auto buyer = client.make_user("racing", 1'000 * life_price);
    const auto patient = client.make_product("patient", stock, long_window_s);
    outcomes all;
    std::atomic<int> contradicted{0};
    in_parallel(w, 8, 240, [&](std::size_t i, patient_client& one) {
        const std::string order = one.order_of(buyer, patient);
        auto cancelled = std::async(std::launch::async, [&w, order, i] {
            patient_client other(w, i + 1);
            return other.cancel(order).status == 200;
        });
        const auto payment = pay_or_tell(one, i, order);
        const bool ended = cancelled.get();
        const std::string status = one.status(order);
        contradicted += ended != (status == "CANCELLED");
        note(all, order, payment, status, "CANCELLED");
    });
    if (contradicted > 0)
        w.complain(std::to_string(contradicted) + " orders are not what their cancels were told");
    add_up_lives(w, {patient});
    complain_about(w, all, "payments and cancels");
    w.sell(50);
}

// ---- late money, and no gate

void lose_the_gate_under_late_money(world& w) {
    constexpr std::size_t orders = 80;
    patient_client client(w);
    const auto buyer = client.make_user("late", 0);
    const auto brief = client.make_product("brief", stock, 5);
    std::vector<std::string> late(orders);
    in_parallel(w, 8, orders,
                [&](std::size_t i, patient_client& one) { late[i] = one.order_of(buyer, brief); });
    w.until("every hold's end", [&] {
        return orders_that_are(w, brief, "EXPIRED") == static_cast<std::int64_t>(orders);
    });
    const auto decided = [&] {
        return w.place().number(database::order,
                                "SELECT count(*) FROM payments WHERE decided_at IS NOT NULL");
    };
    const auto before = decided();
    outcomes all;
    in_parallel(
        w, 8, orders,
        [&](std::size_t i, patient_client& one) {
            const auto payment = one.tell(late[i]);
            note(all, late[i], payment, one.status(late[i]), "EXPIRED");
        },
        [&] {
            for (const std::int64_t after : {10, 40}) {
                w.until("money that has come late", [&] { return decided() >= before + after; });
                stack::redis_cli({"FLUSHALL"});
                w.fault();
            }
        });
    if (all.strange + all.paid > 0) w.complain("an expired order is not what its client was told");
    if (all.bought_again == 0) w.complain("late money has bought nothing");
    add_up_lives(w, {brief});
    expect(w, "payments that bought again", all.bought_again,
           w.place().number(database::order,
                            "SELECT count(*) FROM payments WHERE state = "
                            "'succeeded' AND replaces IS NOT NULL"));
    w.sell(50);
}

// ---- a batch of one user

/// The process that has it dies between the databases.
void pay_for_fifty_at_once(world& w) {
    constexpr std::size_t orders = 50;
    constexpr int affordable = 30;
    patient_client client(w);
    const auto buyer = client.make_user("fifty", affordable * life_price);
    const auto patient = client.make_product("patient", stock, long_window_s);
    std::vector<std::string> held;
    for (std::size_t i = 0; i < orders; ++i)
        held.push_back(client.order_of(buyer, patient));
    w.until("the orders in the record", [&] {
        return orders_that_are(w, patient, "PENDING") == static_cast<std::int64_t>(orders);
    });
    // The clerk waits with its first batch, and all others gather meanwhile.
    std::optional<table_lock> holding(std::in_place, w.place().url(database::order), "payments");
    std::atomic<int> paid{0}, declined{0};
    std::atomic<std::size_t> sent{0};
    std::vector<std::jthread> clients;
    for (const std::string& order : held) {
        clients.emplace_back([&, order] {
            unsigned status = 0;
            try {
                ++sent;
                status = http_client(w.port(0))
                             .post("/v1/orders/" + order + "/payments",
                                   json::value{{"method", "balance"}}, {{"Idempotency-Key", "pay"}})
                             .status;
            } catch (const std::exception&) {
            }
            if (status != 201 && status != 402) status = patient_client(w, 1).pay(order).status;
            paid += status == 201;
            declined += status == 402;
        });
    }
    w.until("fifty who pay", [&] { return sent == orders; });
    w.wait(1s);
    holding.reset();
    w.until("fifty answers", [&] { return static_cast<std::size_t>(paid + declined) == orders; });
    clients.clear();
    if (w.crashes() == 0) throw std::runtime_error("no death at the crash point");
    const auto largest =
        w.place().number(database::user,
                         "SELECT max(n) FROM (SELECT count(*) AS n FROM charge_decisions WHERE "
                         "user_id = " +
                             std::to_string(buyer) + " GROUP BY decided_at) t");
    if (largest < 20) throw std::runtime_error("no batch of many payments has gathered");
    expect(w, "payments that were taken", affordable, paid);
    expect(w, "payments that were declined", std::int64_t{orders} - affordable, declined);
    expect(w, "the balance", 0, client.balance(buyer));
    for (const std::string& order : held)
        (void)client.cancel(order);
    add_up_lives(w, {patient});
    w.sell(50);
}

// ---- no user database

void lose_the_user_database_while_paying(world& w) {
    patient_client client(w);
    const auto buyer = client.make_user("in the middle", 2 * life_price);
    const auto brief = client.make_product("brief", stock, 8);
    const std::string order = client.order_of(buyer, brief), other = client.order_of(buyer, brief);
    const auto let_in = [name = "flashsale_user_" + w.place().name(),
                         url = w.place().url(database::order)](const char* whether) {
        run_sql(url, "ALTER DATABASE " + name + " ALLOW_CONNECTIONS " + whether);
        run_sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
                         name + "'");
    };
    w.undo_later([let_in] { let_in("true"); });
    auto payer = std::make_unique<sleeping_payer>(w, "payment_started", order);
    let_in("false");
    w.fault();
    const unsigned told = payer->wake();
    if (told != 503)
        w.complain("without a user database its payer is told " + std::to_string(told));
    // What needs no money goes on, and this one ends only when it is known whether it is paid for.
    w.until("the other one's end", [&] { return orders_that_are(w, brief, "EXPIRED") == 1; });
    w.until("its own end", [&] {
        return w.place().number(database::order,
                                "SELECT count(*) FROM order_lives WHERE "
                                "expires_at < now() AND order_id = '" +
                                    order + "'") == 1;
    });
    expect(w, "the order that is being paid for", 1, orders_that_are(w, brief, "PAYING"));
    w.stop(0);
    let_in("true");
    w.until("the payment's end", [&] { return orders_that_are(w, brief, "PAID") == 1; });
    w.start(0);
    expect(w, "the payment, asked for again", 201, client.pay(order).status);
    expect(w, "the balance", life_price, client.balance(buyer));
    expect(w, "the other order", "EXPIRED", client.status(other));
    add_up_lives(w, {brief});
    w.sell(50);
}

}  // namespace

std::vector<cell> payment_cells() {
    cell before{"life: a payer asleep before the debit, while others decide, end and deposit",
                sleep_before_the_debit};
    before.crash_points = true;
    cell behind{"life: a payer asleep behind the debit, while others finish it",
                sleep_behind_the_debit};
    behind.crash_points = true;
    cell fifty{"life: one user pays for fifty orders in one batch, and the process dies",
               pay_for_fifty_at_once};
    fifty.crash_points = true;
    fifty.options.armed = 1;
    fifty.options.first_life = {{"FLASHSALE_CRASH", "payment_decided:2"}};
    cell flushed{"life: redis: FLUSHALL under late money, twice", lose_the_gate_under_late_money};
    flushed.damages = {stack::server::redis};
    cell no_users{"life: the user database away in the middle of a payment",
                  lose_the_user_database_while_paying};
    no_users.crash_points = true;
    return {before,
            behind,
            {"life: payments race the ends of their holds", pay_as_the_hold_ends},
            {"life: cancels race payments", cancel_as_it_is_paid_for},
            flushed,
            fifty,
            no_users};
}

}  // namespace flashsale::test
