#pragma once

// The order database's tables of what becomes of orders, and of the money for them: order_lives,
// order_changes, payments and refunds. Each function is one statement of src/order/life, as a whole
// step, with the same conditions.

#include <flashsale/order/money.hpp>
#include <flashsale/order/replacement.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "world.hpp"

namespace flashsale::model {

class life_tables {
public:
    explicit life_tables(world& in) : in_(in) {}

    struct head {
        order::order what;
        stock::allocation taken;
        bool has_life = false;  ///< a row in order_lives: it was held, or has ended
        bool restock = true;
        bool extended = false;
        std::optional<uuid> payment_id;
        std::optional<timestamp> due_at;
    };
    struct due_refund {
        order::refund what;
        std::optional<timestamp> due_at;
    };
    struct change {
        uuid order_id;
        order::order_status from, to;
    };

    /// By the recorder, in the transaction that makes the order.
    void add(const stock::allocation& taken, timestamp created_at);

    // --- life_store ---
    using uuids = std::vector<uuid>;
    std::vector<order::order> find(const uuids& ids) const;
    std::vector<order::payment> find_payments(const std::vector<order::payment_request>& asked);
    std::vector<order::payment> find_succeeded(const uuids& orders) const;
    std::vector<order::ended_order> cancel(const std::vector<order::cancel_request>& asked);
    std::vector<order::ended_order> expire(std::size_t orders_max, timestamp from);
    /// nullopt: a key is another payment's already, and nothing was done.
    std::optional<std::vector<order::payment>> start_payments(
        const std::vector<order::payment_request>& asked);
    void finish(const std::vector<order::payment>& decided, bool taken);
    std::vector<order::payment> unfinished_payments(std::size_t payments_max) const;
    std::vector<order::ended_order> returns_due(std::size_t orders_max) const;
    /// By the order database's fence.
    bool returned(const std::vector<order::returned_order>& orders, std::uint64_t fence);
    void put_off(const uuids& orders);

    // --- money_store ---
    void receive(const std::vector<order::told_payment>& told);
    std::vector<order::payment> find_by_reference(const std::vector<std::string>& references) const;
    void put_off_end(const uuids& orders, std::chrono::seconds grace);
    void refuse_received(const uuids& asked, const uuids& refund_ids);
    void begin_placing(const uuids& asked);
    void use_received(const uuids& asked);
    std::vector<order::payment> find_money(const uuids& asked) const;
    std::vector<order::payment> received_undecided(std::size_t payments_max) const;
    std::vector<order::ended_order> refund_orders(const std::vector<order::refund_request>& asked);
    std::vector<order::refund> refunds_of(const uuids& orders) const;
    std::vector<order::refund> refunds_due(std::size_t refunds_max) const;
    void given_back(const uuids& asked);
    void put_off_refunds(const uuids& asked);

    // --- replacement_store ---
    std::vector<order::late_payment> late(const uuids& asked) const;
    void pay(const std::vector<order::replacement>& by);
    void give_up(const uuids& asked, const uuids& refund_ids);

    // --- without the guard compare-and-set ---
    using states = std::map<uuid, order::order_status>;
    states seen() const;
    /// What is done next goes by what was seen before, whatever has become of it; nullopt: no more.
    void go_by(std::optional<states> seen) { seen_ = std::move(seen); }

    /// Nothing is under way, and nothing due.
    bool at_rest() const;

    std::map<uuid, head> heads;
    std::map<uuid, order::payment> payments;
    std::map<uuid, due_refund> refunds;
    std::vector<change> changes;

private:
    /// Its state, as the statement that runs sees it.
    order::order_status state_of(const head& one) const;
    void change_to(head& one, order::order_status to);
    order::ended_order end(head& one, order::order_status to, bool restock);
    static order::ended_order ended(const head& one);
    head* find_head(const uuid& id);
    bool is_held_now(const head& one) const;
    bool is_too_late(const head& one) const;
    bool is_here(const order::payment& one) const;
    void owe(order::payment& one, const uuid& refund_id, std::string why, std::string reason);
    void pay_by(head& one, order::payment& by);

    world& in_;
    std::optional<states> seen_;
};

}  // namespace flashsale::model
