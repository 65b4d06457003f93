// Units of ended orders: each order that has ended gives its units back once, and no other does.

#include <flashsale/audit/sums.hpp>

#include <algorithm>
#include <map>
#include <unordered_set>

namespace flashsale::audit {

namespace {

using stock::came_back;

constexpr const char* one_to_one = "returns and ended orders match one to one";

bool is_return(came_back what) {
    return what == came_back::returned || what == came_back::written_off;
}

const char* what_is_due(order::order_status status) {
    if (order::has_ended(status)) return "units to be returned";
    return status == order::order_status::paying ? "a payment not decided"
                                                 : "a hold that has not ended";
}

class return_auditor {
public:
    return_auditor(const audit_record& record, audit_result& into)
        : record_(record), result_(into) {}

    void run() {
        check_products();
        check_returns_have_ended();
        check_ended_have_returned();
        check_unfinished();
        if (record_.at_rest && record_.life.unfinished.empty()) check_buyers();
    }

private:
    void fault(std::int64_t product, const char* sum, std::string found,
               std::vector<uuid> orders = {}) {
        result_.faults.push_back({product, sum, std::move(found), std::move(orders)});
    }

    void check_products() {
        for (const auto& [id, one] : record_.products) {
            if (one.returned == one.returned_in_all) continue;
            fault(id, "returned = sum of returns",
                  "returned " + std::to_string(one.returned_in_all) + ", returns " +
                      std::to_string(one.returned));
        }
    }

    void report(std::map<std::int64_t, std::vector<uuid>>& all, const char* what) {
        for (auto& [product, ids] : all) {
            std::string found = std::to_string(ids.size()) + " " + what;
            fault(product, one_to_one, std::move(found), std::move(ids));
        }
    }

    /// The ledger was read first, and an order ends before its units return.
    void check_returns_have_ended() {
        std::map<std::int64_t, std::vector<uuid>> alive;
        for (const auto& [id, movement] : record_.movements) {
            if (!is_return(movement.back)) continue;
            const auto order = record_.orders.find(id);
            if (order != record_.orders.end() && !order->second.ended)
                alive[movement.product_id].push_back(id.order_id);
        }
        report(alive, "orders have returned their units, and have not ended");
    }

    void check_ended_have_returned() {
        std::unordered_set<uuid, uuid_hash> to_come;
        for (const order::unfinished_order& one : record_.life.unfinished)
            to_come.insert(one.id);
        for (const stock::allocation_id& one : record_.life.returned_later)
            to_come.insert(one.order_id);
        std::map<std::int64_t, std::vector<uuid>> kept;
        for (const stock::allocation_id& id : ended_without_return(record_)) {
            if (!to_come.contains(id.order_id))
                kept[record_.orders.at(id).product_id].push_back(id.order_id);
        }
        report(kept, "orders have ended, and their units have not come back");
    }

    void check_unfinished() {
        for (const order::unfinished_order& one : record_.life.unfinished) {
            if (one.age < unfinished_max) continue;
            const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(one.age).count();
            fault(one.product_id, "what was begun is finished",
                  std::string(what_is_due(one.status)) + " for " + std::to_string(seconds) + " s",
                  {one.id});
        }
    }

    /// They are not read with the ledger as of one instant, so only when nothing moves.
    void check_buyers() {
        std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> expected;
        for (const auto& [id, movement] : record_.movements) {
            const auto order = record_.orders.find(id);
            const auto product = record_.products.find(movement.product_id);
            if (!is_return(movement.back) || order == record_.orders.end() ||
                product == record_.products.end() || !product->second.counts_buyers())
                continue;
            expected[{movement.product_id, order->second.user_id}] += movement.quantity;
        }
        for (const stock::buyer_returns& one : record_.life.buyers)
            expected[{one.product_id, one.user_id}] -= one.returned;
        for (const auto& [who, difference] : expected) {
            if (difference == 0) continue;
            fault(who.first, "a buyer's returns = sum of the buyer's returned orders",
                  "user " + std::to_string(who.second) + ": " + std::to_string(difference) +
                      " units more by the orders");
        }
    }

    const audit_record& record_;
    audit_result& result_;
};

}  // namespace

std::vector<stock::allocation_id> ended_without_return(const audit_record& record) {
    std::vector<stock::allocation_id> out;
    for (const auto& [id, order] : record.orders) {
        if (!order.ended) continue;
        const auto movement = record.movements.find(id);
        if (movement == record.movements.end() || movement->second.back == came_back::no)
            out.push_back(id);
    }
    return out;
}

void check_life(const audit_record& record, audit_result& into) {
    return_auditor(record, into).run();
    check_sale_limits(record, into);
    check_payments(record.life, into);
}

}  // namespace flashsale::audit
