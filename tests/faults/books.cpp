#include "books.hpp"

#include <map>
#include <set>

#include "eventually.hpp"
#include "http_client.hpp"

namespace flashsale::test {

namespace {

using database = sandbox::database;

struct recorded {
    std::string id;
    std::int64_t user, product, quantity;
    std::string key;
};

std::vector<recorded> read_orders(const sandbox& place) {
    std::vector<recorded> all;
    for (const auto& row :
         place.sql(database::order,
                   "SELECT id, user_id, product_id, quantity, idempotency_key FROM orders"))
        all.push_back(
            {*row[0], std::stoll(*row[1]), std::stoll(*row[2]), std::stoll(*row[3]), *row[4]});
    return all;
}

class accountant {
public:
    accountant(verdict& into, const sandbox& place, const crowd& people)
        : found_(into), place_(place), people_(people), orders_(read_orders(place)) {}

    void compare_with_the_crowd() {
        std::map<std::string, const recorded*> by_id;
        std::map<std::string, std::vector<const recorded*>> by_key;
        for (const recorded& one : orders_) {
            by_id[one.id] = &one;
            by_key[one.key].push_back(&one);
        }
        std::uint64_t vanished = 0, open = 0, phantoms = 0, strange = 0;
        std::set<std::string> wished;
        for (const auto& want : people_.wishes()) {
            wished.insert(want->key);
            found_.unknown += want->unknown;
            found_.accepted += want->ended == wish::end::accepted;
            vanished += want->vanished;
            open += want->ended == wish::end::open;
            strange += want->ended == wish::end::refused && want->refusal != "out_of_stock" &&
                       want->refusal != "purchase_limit";
            const std::set<std::string> ids(want->ids.begin(), want->ids.end());
            if (ids.size() > 1) found_.doubled += ids.size() - 1;
            for (const auto& id : ids) {
                const auto row = by_id.find(id);
                const bool kept = row != by_id.end() && row->second->user == want->user &&
                                  row->second->product == want->product &&
                                  row->second->quantity == want->quantity;
                found_.lost += !kept;
            }
            const auto rows = by_key.find(want->key);
            if (rows == by_key.end()) continue;
            found_.doubled += rows->second.size() - 1;
            // Refused, every time, and stored all the same.
            phantoms += ids.empty() && !want->unknown;
        }
        std::uint64_t strangers = 0;
        for (const auto& [key, rows] : by_key)
            strangers += !wished.contains(key) && !key.starts_with(sold_before_key) &&
                         !key.starts_with(bought_again_key);
        count(found_.lost, "accepted and not in the order database");
        count(found_.doubled, "orders beyond one for a key");
        count(vanished, "201s whose GET said 404");
        count(open, "unknown, and the key did not settle it");
        count(phantoms, "refused each time, and stored");
        count(strange, "refused for a reason that is none here");
        count(strangers, "orders that nobody asked for");
    }

    void compare_with_the_stock(std::uint16_t port) {
        std::map<std::int64_t, std::int64_t> sold;
        std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> bought;
        for (const recorded& one : orders_) {
            sold[one.product] += one.quantity;
            bought[{one.product, one.user}] += one.quantity;
        }
        http_client client(port);
        std::uint64_t above_limit = 0;
        for (const auto& row :
             place_.sql(database::stock,
                        "SELECT id, supplied, stock, coalesce(per_user_limit, 0) FROM products")) {
            const auto id = std::stoll(*row[0]), supplied = std::stoll(*row[1]);
            const auto recorded_stock = std::stoll(*row[2]), limit = std::stoll(*row[3]);
            found_.oversold += std::max<std::int64_t>(0, sold[id] - supplied);
            std::int64_t free = -1;
            std::string answer;
            eventually(std::chrono::seconds{60}, [&] {
                const auto product = client.get("/v1/products/" + std::to_string(id));
                answer = product.body;
                if (product.status != 200) return false;
                const auto available = product.json().at("available");
                if (available.is_int64()) free = available.as_int64();
                return free >= 0;
            });
            if (free < 0) {
                complain("product " + std::to_string(id) + " has nothing available: " + answer);
                continue;
            }
            found_.leaked += std::max(std::abs(supplied - free - sold[id]),
                                      std::abs(supplied - recorded_stock - sold[id]));
            if (recorded_stock != supplied - sold[id]) {
                complain("product " + std::to_string(id) + ": stock " +
                         std::to_string(recorded_stock) + ", supplied " + std::to_string(supplied) +
                         ", sold " + std::to_string(sold[id]));
            }
            for (const auto& [who, quantity] : bought) {
                if (limit > 0 && who.first == id && quantity > limit) ++above_limit;
            }
        }
        count(found_.oversold, "units sold beyond what was supplied");
        count(found_.leaked, "units neither free nor sold, or both, at the gate or in the record");
        count(above_limit, "users above the limit");
    }

    /// Each once; one that was never answered 200 may be there or not.
    void compare_gifts() {
        std::map<std::string, std::int64_t> restocked;
        for (const auto& row :
             place_.sql(database::stock,
                        "SELECT idempotency_key, delta FROM movements WHERE kind = 'restock'"))
            restocked[*row[0]] += std::stoll(*row[1]);
        std::uint64_t wrong = 0;
        for (const auto& one : people_.gifts()) {
            const auto row = restocked.find(one->key);
            const bool there = row != restocked.end();
            wrong += there ? row->second != one->quantity : one->done;
            if (!one->done) complain("restock " + one->key + " was never answered 200");
        }
        count(wrong, "restocks that are not recorded once");
    }

    void check_parked(const allowed_parked& allowed) {
        std::set<std::string> promised;
        for (const auto& want : people_.wishes())
            promised.insert(want->ids.begin(), want->ids.end());
        std::map<std::string, std::size_t> reasons;
        std::size_t parked = 0, promised_and_parked = 0;
        for (const auto& row :
             place_.sql(database::order, "SELECT event_id, refused_late, reason FROM parked")) {
            promised_and_parked += promised.contains(*row[0]);
            if (allowed.refused_late && *row[1] == "t") continue;
            ++parked;
            ++reasons[*row[2]];
        }
        count(promised_and_parked, "answered 201, and parked");
        if (!allowed.events || parked == *allowed.events) return;
        std::string found =
            std::to_string(parked) + " events parked, expected " + std::to_string(*allowed.events);
        for (const auto& [reason, times] : reasons)
            found += "\n      " + std::to_string(times) + ": " + reason;
        complain(std::move(found));
    }

    void complain(std::string what) { found_.complaints.push_back(std::move(what)); }

private:
    template <class Number>
    void count(Number number, const char* what) {
        if (number != 0) complain(std::to_string(number) + " " + what);
    }

    verdict& found_;
    const sandbox& place_;
    const crowd& people_;
    const std::vector<recorded> orders_;
};

}  // namespace

void add_up(verdict& into, const sandbox& place, const crowd& people, std::uint16_t port,
            const allowed_parked& may_be_parked) {
    const auto audit = place.flashsale({"audit", "--wait", "60"}, std::chrono::seconds{120});
    if (audit.exit_code != 0) {
        into.complaints.push_back("flashsale audit ended with " + std::to_string(audit.exit_code) +
                                  ":\n" + audit.output);
    }
    accountant all(into, place, people);
    all.compare_with_the_crowd();
    all.compare_with_the_stock(port);
    all.compare_gifts();
    all.check_parked(may_be_parked);
}

}  // namespace flashsale::test
