#include "life.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

namespace flashsale::test {

namespace json = boost::json;
using namespace std::chrono_literals;
using database = sandbox::database;
using steady = std::chrono::steady_clock;

namespace {

constexpr auto look = 10ms;
constexpr auto most = 300s;
constexpr auto settle_limit = 90s;
/// Of one attempt: a process may be asleep.
constexpr auto answer_patience = 6s;

std::string path_of(const std::string& order, const std::string& rest = {}) {
    return "/v1/orders/" + order + rest;
}

std::int64_t id_in(const http_response& answer) {
    if (answer.status != 201) throw std::runtime_error("not made: " + answer.body);
    return answer.json().at("id").as_int64();
}

std::atomic<std::uint64_t> orders_placed{0};

}  // namespace

// ---- a client

http_response patient_client::until_known(const std::function<http_response(http_client&)>& ask) {
    std::optional<http_response> answer;
    const auto asked = [&] {
        // Who sleeps would only keep the thread that is to wake it.
        if (tends_ && world_.asleep(turn_ % world_.processes())) ++turn_;
        try {
            http_client client(world_.port(turn_++ % world_.processes()), "127.0.0.1",
                               answer_patience);
            answer = ask(client);
        } catch (const std::exception&) {
            return false;
        }
        return answer->status < 500;
    };
    if (tends_) {
        world_.until("an answer", asked);
        return *answer;
    }
    const auto end = steady::now() + most;
    while (!asked()) {
        if (steady::now() > end) throw std::runtime_error("it never came: an answer");
        std::this_thread::sleep_for(look);
    }
    return *answer;
}

http_response patient_client::post(const std::string& path, const json::value& body,
                                   const std::string& key) {
    return until_known(
        [&](http_client& client) { return client.post(path, body, {{"Idempotency-Key", key}}); });
}

http_response patient_client::get(const std::string& path) {
    return until_known([&](http_client& client) { return client.get(path); });
}

std::int64_t patient_client::make_user(const std::string& name, std::int64_t balance) {
    std::string key = name;
    std::ranges::replace(key, ' ', '-');
    return id_in(post("/v1/users", {{"username", name}, {"balance", balance}}, key));
}

std::int64_t patient_client::make_product(const std::string& name, std::int64_t stock,
                                          std::int64_t window_s) {
    return id_in(post(
        "/v1/products",
        {{"name", name}, {"price", life_price}, {"stock", stock}, {"payment_window_s", window_s}},
        name));
}

json::value patient_client::place(std::int64_t user, std::int64_t product) {
    const std::string key = std::string(sold_before_key) + std::to_string(++orders_placed);
    const auto made =
        post("/v1/orders", {{"user_id", user}, {"product_id", product}, {"quantity", 1}}, key);
    if (made.status != 201) throw std::runtime_error("no order: " + made.body);
    return made.json();
}

http_response patient_client::pay(const std::string& order, const std::string& key) {
    return post(path_of(order, "/payments"), {{"method", "balance"}}, key);
}

http_response patient_client::tell(const std::string& order, std::int64_t amount) {
    return post(path_of(order, "/payments"),
                {{"method", "external"}, {"reference", order}, {"amount", amount}}, "tell");
}

http_response patient_client::cancel(const std::string& order) {
    return post(path_of(order, "/cancel"), json::object{}, "cancel");
}

void patient_client::deposit(std::int64_t user, std::int64_t amount) {
    const std::string key = "deposit-" + std::to_string(++orders_placed);
    (void)id_in(post("/v1/users/" + std::to_string(user) + "/deposits", {{"amount", amount}}, key));
}

std::string patient_client::status(const std::string& order) {
    const auto shown = get(path_of(order));
    if (shown.status != 200) return shown.body;
    return std::string(shown.json().at("order_status").as_string());
}

std::int64_t patient_client::balance(std::int64_t user) {
    return get("/v1/users/" + std::to_string(user)).json().at("balance").as_int64();
}

std::int64_t patient_client::available(std::int64_t product) {
    const auto shown = get("/v1/products/" + std::to_string(product)).json().at("available");
    return shown.is_int64() ? shown.as_int64() : -1;
}

// ---- many of them

void in_parallel(world& w, std::size_t threads, std::size_t n,
                 const std::function<void(std::size_t, patient_client&)>& what,
                 const std::function<void()>& meanwhile) {
    std::atomic<std::size_t> next{0}, left{threads};
    std::mutex mutex;
    std::exception_ptr first;
    const auto failed = [&] {
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
    };
    {
        std::vector<std::jthread> all;
        for (std::size_t i = 0; i < threads; ++i) {
            all.emplace_back([&, i] {
                patient_client client(w, i);
                try {
                    for (auto at = next++; at < n; at = next++)
                        what(at, client);
                } catch (...) {
                    failed();
                }
                --left;
            });
        }
        try {
            if (meanwhile) meanwhile();
            w.until("the end of what many do at once", [&] { return left == 0; }, most);
        } catch (...) {
            failed();
        }
    }
    if (first) std::rethrow_exception(first);
}

// ---- the sums

std::int64_t orders_that_are(world& w, std::int64_t product, const std::string& status) {
    return w.place().number(database::order, "SELECT count(*) FROM orders WHERE product_id = " +
                                                 std::to_string(product) + " AND order_status = '" +
                                                 status + "'");
}

namespace {

class life_sums {
public:
    explicit life_sums(world& of) : world_(of) {}

    void of_orders() {
        none(database::order, "orders that are paid for, and not by one payment of their total",
             "SELECT count(*) FROM orders o WHERE o.line = 0 AND o.order_status = 'PAID' AND 1 <> "
             "(SELECT count(*) FROM payments p WHERE p.order_id = o.id AND p.state = 'succeeded' "
             "AND p.amount = o.quantity * o.unit_price)");
        none(database::order, "orders that a payment has paid for, and that are not PAID",
             "SELECT count(*) FROM payments p JOIN orders o ON o.id = p.order_id AND o.line = 0 "
             "WHERE p.state = 'succeeded' AND o.order_status <> 'PAID'");
        none(database::order, "payments that came from outside, and neither paid nor are owed",
             "SELECT count(*) FROM payments p WHERE received_at IS NOT NULL AND state <> "
             "'succeeded' AND 1 <> (SELECT count(*) FROM refunds r WHERE r.payment_id = p.id AND "
             "r.amount = p.amount)");
        none(database::order, "holds that were ended before their time",
             "SELECT count(*) FROM order_lives l JOIN orders o ON o.id = l.order_id AND o.line = 0 "
             "WHERE o.order_status = 'EXPIRED' AND l.status_since < l.expires_at");
        none(database::order, "payments begun when the hold had ended",
             "SELECT count(*) FROM payments p JOIN order_lives l ON l.payment_id = p.id "
             "WHERE p.method = 'balance' AND p.created_at >= l.expires_at");
    }

    void of_money() {
        const std::string taken = ids(database::user,
                                      "SELECT payment_id || ' ' || order_id || ' ' || amount FROM "
                                      "charge_decisions WHERE taken ORDER BY 1");
        const std::string paid = ids(database::order,
                                     "SELECT id || ' ' || order_id || ' ' || amount FROM payments "
                                     "WHERE method = 'balance' AND state IN ('succeeded', "
                                     "'refund_due', 'refunded') ORDER BY 1");
        if (taken != paid) world_.complain("taken from balances:\n" + taken + "and paid:\n" + paid);
        none(database::user, "balances that are not the sum of their entries, or below 0",
             "SELECT count(*) FROM users u WHERE balance < 0 OR balance <> (SELECT "
             "coalesce(sum(amount), 0) FROM balance_entries e WHERE e.user_id = u.id)");
        none(database::user, "orders that were taken from a balance twice, or without a decision",
             "SELECT count(*) FROM (SELECT order_id FROM balance_entries WHERE kind = 'payment' "
             "GROUP BY order_id HAVING count(*) > 1 OR -sum(amount) <> (SELECT sum(amount) FROM "
             "charge_decisions d WHERE d.order_id = balance_entries.order_id AND taken)) t");
    }

    void of_units(std::int64_t product, std::int64_t free) {
        const std::string its = " product_id = " + std::to_string(product);
        const std::string ended =
            ids(database::order,
                "SELECT o.id FROM orders o JOIN order_lives l ON l.order_id = o.id "
                "WHERE" +
                    its +
                    " AND order_status IN ('CANCELLED', 'EXPIRED', 'REFUNDED') "
                    "ORDER BY 1");
        const std::string returned =
            ids(database::stock, "SELECT id FROM movements WHERE" + its +
                                     " AND kind = 'return' AND delta = 1 ORDER BY 1");
        if (ended != returned) {
            world_.complain("product " + std::to_string(product) + ": " +
                            std::to_string(std::ranges::count(ended, '\n')) +
                            " orders have ended, and returned are " +
                            std::to_string(std::ranges::count(returned, '\n')));
        }
        const auto live = world_.place().number(
            database::order, "SELECT coalesce(sum(quantity), 0)::bigint FROM orders WHERE" + its +
                                 " AND order_status IN ('SUCCESS', 'PENDING', 'PAYING', 'PAID')");
        const auto given = world_.place().number(
            database::stock,
            "SELECT supplied - returned FROM products WHERE id = " + std::to_string(product));
        if (free + live != given) {
            world_.complain("product " + std::to_string(product) + ": " + std::to_string(free) +
                            " units free, " + std::to_string(live) + " held or sold, and " +
                            std::to_string(given) + " given");
        }
    }

private:
    void none(database where, const char* what, const std::string& count) {
        const auto found = world_.place().number(where, count);
        if (found != 0) world_.complain(std::to_string(found) + " " + what);
    }
    std::string ids(database where, const std::string& select) {
        std::string all;
        for (const auto& row : world_.place().sql(where, select))
            all += *row[0] + "\n";
        return all;
    }

    world& world_;
};

}  // namespace

void add_up_lives(world& w, const std::vector<std::int64_t>& products) {
    const auto settles = [&](const char* what, const std::function<bool()>& condition) {
        try {
            w.until(what, condition, settle_limit);
        } catch (const std::runtime_error& never) {
            w.complain(never.what());
        }
    };
    settles("every hold ends", [&] {
        return w.place().number(database::order,
                                "SELECT count(*) FROM order_lives WHERE due_at IS NOT NULL AND "
                                "due_at < now() + interval '10 minutes'") == 0;
    });
    settles("all money is where it belongs", [&] {
        return w.place().number(
                   database::order,
                   "SELECT (SELECT count(*) FROM payments WHERE decided_at IS NULL) + (SELECT "
                   "count(*) FROM refunds WHERE state = 'pending' AND method = 'balance')") == 0;
    });
    patient_client client(w);
    life_sums sums(w);
    sums.of_orders();
    sums.of_money();
    for (const auto product : products) {
        std::int64_t free = -1;
        settles("a gate that says what is free",
                [&] { return (free = client.available(product)) >= 0; });
        sums.of_units(product, free);
    }
}

}  // namespace flashsale::test
