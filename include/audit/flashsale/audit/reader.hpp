#pragma once

// Reads what the audit adds up, in the order that makes it exact while orders are being placed:
//
//   0. the gate's epoch and seq, then the products that it lists, in pages
//   1. the gate: free, supplied and the seq at which that was so, in one atomic step a product
//   2. the outbox, in pages
//   3. the stock database's ledger, then the order database
//   4. supplied at the gate once more, where it was behind the ledger: a restock tells the gate
//   last
//
// An event up to that seq left the outbox only after both databases had it; so what is missing in 2
// is there in 3. And since an order is committed before its movement, every movement read has its
// order. Under the database gate the movement comes first, and so the orders are read before the
// ledger; what the ledger has beyond them is then in the outbox, or among the orders read again.
//
// Balances are read behind all that, in pages: a user's balance and the sum of its entries come by
// one statement, and nothing else depends on them.

#include <flashsale/audit/record_view.hpp>
#include <flashsale/audit/sums.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace flashsale::audit {

class audit_reader {
public:
    /// A gate that was only now connected to gets `start_timeout` to answer.
    audit_reader(std::unique_ptr<record_view> view, std::chrono::milliseconds start_timeout);

    /// Waits until nothing is in the outbox, and nothing is to be asked of the gate again. False:
    /// it was not so in time.
    bool wait_for_rest(std::chrono::duration<double> most);

    /// Throws std::runtime_error if a database cannot be read.
    audit_record read();

private:
    using gate_shards = std::expected<std::vector<gate_shard>, std::string>;

    audit_record read_sale();
    audit_record read_once(gate_shards shards);
    /// Why the gate could not be read, if so.
    gate_shards read_shards();
    void read_listed(audit_record& into);
    void read_levels(audit_record& into);
    void read_levels_again(audit_record& into);
    void read_outbox(audit_record& into);
    void read_ledger(audit_record& into);
    void read_orders(audit_record& into, bool of_movements_only);
    void read_charges(life_record& into);
    void read_refunds(life_record& into);
    void read_returns(audit_record& into);
    void read_balances(audit_record& into);
    /// Waits for a gate that was only now connected to.
    bool reached();
    std::optional<std::string> wait_for_gate();

    template <class T>
    std::expected<T, stock::errc> ask(
        const std::function<void(callback<std::expected<T, stock::errc>>)>& start);

    /// The gate's.
    asio::io_context& io() { return view_->io(); }

    const std::chrono::milliseconds start_timeout_;
    bool waited_ = false;
    std::unique_ptr<record_view> view_;
};

}  // namespace flashsale::audit
