// Held orders, while the processes die at each step of what the clerk does: every one is paid for,
// cancelled or expired as its client was told, and the books of all three databases fit.

#include <boost/json.hpp>

#include <flashsale/base/fault_points.hpp>

#include <set>

#include "cell.hpp"
#include "life.hpp"

namespace flashsale::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using database = sandbox::database;

constexpr std::int64_t price = 7;
constexpr std::int64_t balance = 1'000'000;
constexpr std::int64_t stock = 1'000;

/// Orders of one buyer on a product, and what the client was told of each at the end.
class holder {
public:
    explicit holder(world& of) : world_(of), client_(of) {
        user_ = id_in(client_.post("/v1/users", {{"username", "the holder"}, {"balance", balance}},
                                   "holder"));
        patient_ = make_product("patient", 3'600);
        brief_ = make_product("brief", 1);
    }

    /// A round is an order that is paid for, one that is paid for and refunded, the same with money
    /// from outside, one that is cancelled after money of another amount came for it, and one that
    /// is left.
    void round() {
        const std::string paid = place(patient_), refunded = place(patient_),
                          paid_outside = place(patient_), refunded_outside = place(patient_),
                          cancelled = place(patient_);
        expired_.push_back(place(brief_));
        pay(paid);
        pay(refunded);
        tell(paid_outside, price, 201);
        tell(refunded_outside, price, 201);
        tell(cancelled, price + 1, 409);
        told(paid, "PAID");
        told(paid_outside, "PAID");
        (void)refund(refunded);
        const std::string owed = refund(refunded_outside);
        expect(refunded_outside,
               client_.post("/v1/refunds/" + owed + "/confirm", {{"reference", owed}}, "confirm"),
               200);
        told(refunded, "REFUNDED");
        told(refunded_outside, "REFUNDED");
        expect(cancelled, client_.post(path(cancelled, "/cancel"), json::object{}, "cancel"), 200);
        told(cancelled, "CANCELLED");
        pay_too_late();
        ++rounds_;
    }

    void add_up() {
        for (const std::string& one : expired_)
            states_[one] = "EXPIRED";
        world_.until("every hold ends", [&] {
            return world_.place().number(database::order,
                                         "SELECT count(*) FROM order_lives WHERE due_at IS NOT "
                                         "NULL AND due_at < now() + interval '10 minutes'") == 0;
        });
        world_.until("all money is where it belongs", [&] {
            return world_.place().number(
                       database::order,
                       "SELECT (SELECT count(*) FROM payments WHERE decided_at IS NULL) + (SELECT "
                       "count(*) FROM refunds WHERE state = 'pending' AND method = 'balance')") ==
                   0;
        });
        std::int64_t paid = 0;
        for (const auto& [order, state] : states_) {
            const auto shown = client_.get(path(order));
            if (shown.status != 200 || shown.json().at("order_status").as_string() != state)
                world_.complain("order " + order + " is to be " + state + ": " + shown.body);
            paid += state == "PAID";
        }
        const auto count = [&](database which, const char* of) {
            return world_.place().number(which, std::string("SELECT count(*) FROM ") + of);
        };
        equal("the balance", balance - price * rounds_,
              client_.get("/v1/users/" + std::to_string(user_)).json().at("balance").as_int64());
        equal("payments taken", 2 * rounds_, count(database::user, "charge_decisions WHERE taken"));
        equal("refunds to the balance", rounds_,
              count(database::user, "balance_entries WHERE kind = 'refund'"));
        equal("payments from outside that paid", rounds_ + bought_again_,
              count(database::order, "payments WHERE method = 'external' AND state = 'succeeded'"));
        equal("payments from outside that went back", rounds_,
              count(database::order, "payments WHERE method = 'external' AND state = 'refunded'"));
        equal("payments from outside that are owed", rounds_ + owed_,
              count(database::order, "payments WHERE state = 'refund_due'"));
        equal("units free of the one that is paid for or cancelled", stock - paid + bought_again_,
              free_of(patient_));
        equal("units free of the one whose holds expire", stock - bought_again_, free_of(brief_));
        // Those that late money bought, and was too late for, are not in the states.
        equal("returns",
              count(database::order,
                    "orders WHERE order_status IN ('CANCELLED', 'EXPIRED', 'REFUNDED')"),
              count(database::stock, "movements WHERE kind = 'return'"));
        equal("orders that are paid for", paid,
              count(database::order, "orders WHERE order_status = 'PAID'"));
    }

private:
    static std::int64_t id_in(const http_response& answer) {
        return answer.json().at("id").as_int64();
    }
    static std::string path(const std::string& order, const std::string& rest = {}) {
        return "/v1/orders/" + order + rest;
    }

    std::int64_t make_product(const std::string& name, std::int64_t window_s) {
        return id_in(client_.post(
            "/v1/products",
            {{"name", name}, {"price", price}, {"stock", stock}, {"payment_window_s", window_s}},
            name));
    }

    std::string place(std::int64_t product) {
        const std::string key = std::string(sold_before_key) + std::to_string(++orders_);
        const auto made = client_.post(
            "/v1/orders", {{"user_id", user_}, {"product_id", product}, {"quantity", 1}}, key);
        if (made.status != 201) throw std::runtime_error("no order: " + made.body);
        return std::string(made.json().at("id").as_string());
    }

    void pay(const std::string& order) {
        expect(order, client_.post(path(order, "/payments"), {{"method", "balance"}}, "pay"), 201);
    }
    void tell(const std::string& order, std::int64_t amount, unsigned status) {
        expect(order,
               client_.post(path(order, "/payments"),
                            {{"method", "external"}, {"reference", order}, {"amount", amount}},
                            "tell"),
               status);
    }
    /// For an order that has expired, if there is one. It buys another, which has a second to be
    /// paid for in; so, when a process dies meanwhile, it may be too late again.
    void pay_too_late() {
        const auto old = std::ranges::find_if(expired_, [&](const std::string& one) {
            return !late_.contains(one) &&
                   client_.get(path(one)).json().at("order_status").as_string() == "EXPIRED";
        });
        if (old == expired_.end()) return;
        late_.insert(*old);
        const auto answer =
            client_.post(path(*old, "/payments"),
                         {{"method", "external"}, {"reference", *old}, {"amount", price}}, "tell");
        if (answer.status == 201) {
            const std::string order(answer.json().at("order_id").as_string());
            if (order == *old) world_.complain("an expired order is paid for: " + answer.body);
            told(order, "PAID");
            ++bought_again_;
        } else {
            expect(*old, answer, 409);
            ++owed_;
        }
    }
    /// The refund's id.
    std::string refund(const std::string& order) {
        const auto answer = client_.post(path(order, "/refunds"), json::object{}, "refund");
        expect(order, answer, 201);
        return answer.status == 201 ? std::string(answer.json().at("id").as_string()) : "none";
    }
    void told(const std::string& order, const char* state) { states_[order] = state; }
    void expect(const std::string& order, const http_response& answer, unsigned status) {
        if (answer.status != status)
            world_.complain("order " + order + ": " + std::to_string(status) +
                            " was to come, and not " + answer.body);
    }

    /// As soon as the gate can be asked: it may be being rebuilt.
    std::int64_t free_of(std::int64_t product) {
        json::value available;
        world_.until("the gate says what is left", [&] {
            available =
                client_.get("/v1/products/" + std::to_string(product)).json().at("available");
            return available.is_int64();
        });
        return available.as_int64();
    }

    void equal(const char* what, std::int64_t expected, std::int64_t found) {
        if (expected == found) return;
        world_.complain(std::string(what) + ": " + std::to_string(found) + ", to be " +
                        std::to_string(expected));
    }

    world& world_;
    patient_client client_;
    std::int64_t user_ = 0, patient_ = 0, brief_ = 0;
    int orders_ = 0;
    std::int64_t rounds_ = 0, bought_again_ = 0, owed_ = 0;
    std::set<std::string> late_;
    std::vector<std::string> expired_;
    std::map<std::string, std::string> states_;
};

void die_while_orders_end(world& w) {
    holder buyer(w);
    int rounds = 0;
    // Each process dies once, at its own time.
    while (w.crashes() < 2 && ++rounds < 150)
        buyer.round();
    if (w.crashes() < 2) throw std::runtime_error("no two deaths at the crash point");
    w.fault(2);
    for (int i = 0; i < 5; ++i)
        buyer.round();
    buyer.add_up();
    w.sell(50);
}

void lose_the_gate_while_orders_end(world& w) {
    holder buyer(w);
    for (int i = 0; i < 4; ++i) {
        for (int round = 0; round < 5; ++round)
            buyer.round();
        stack::redis_cli({"FLUSHALL"});
        w.fault();
    }
    buyer.add_up();
    w.sell(50);
}

void kill_while_orders_end(world& w) {
    holder buyer(w);
    for (std::size_t i = 0; i < 8; ++i) {
        for (int round = 0; round < 3; ++round)
            buyer.round();
        w.kill(i % w.processes(), SIGKILL);
        w.fault();
    }
    buyer.add_up();
    w.sell(50);
}

}  // namespace

std::vector<cell> life_cells() {
    std::vector<cell> all;
    for (auto i = static_cast<std::size_t>(faults::place::payment_started);
         i <= static_cast<std::size_t>(faults::place::replacement_recorded); ++i) {
        const std::string place(faults::place_names[i]);
        cell one{"life: crash at " + place, die_while_orders_end};
        one.crash_points = true;
        one.options.first_life = {{"FLASHSALE_CRASH", place + ":3"}};
        all.push_back(std::move(one));
    }
    all.push_back({"life: SIGKILL, two processes", kill_while_orders_end});
    cell lost{"life: redis: FLUSHALL, four times", lose_the_gate_while_orders_end};
    lost.damages = {stack::server::redis};
    all.push_back(std::move(lost));
    return all;
}

}  // namespace flashsale::test
