#pragma once

// The pass over the shards (shard_keeper.hpp): what it keeps of each from one pass to the next.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <flashsale/base/backoff.hpp>
#include <flashsale/base/waiting.hpp>
#include <flashsale/recovery/shard_keeper.hpp>
#include <flashsale/stock/gate_server.hpp>

#include "lease_turn.hpp"
#include "outbox_reconciliation.hpp"

namespace flashsale::recovery {

class reconciler final : public shard_keeper {
public:
    reconciler(const ports& uses, const options& with, fault_board& board);

    void pass() override;
    void release() override;

private:
    struct shard {
        shard(std::uint32_t of, std::chrono::milliseconds barrier_patience,
              std::chrono::milliseconds turn_patience)
            : number(of), outbox(barrier_patience), turn(turn_patience) {}

        std::uint32_t number;
        outbox_reconciliation outbox;
        std::string outbox_cursor;
        std::int64_t products_after = 0;
        uuid late_after;
        std::uint64_t epoch = 0;                  ///< of the gate
        uuid token;                               ///< likewise
        bool holds = false;                       ///< the lease, as of the last pass
        std::optional<std::string> fault;         ///< hinders orders, or their being recorded
        std::optional<std::string> server_fault;  ///< nothing may be sold from this server
        std::optional<std::string> note;          ///< what the last pass met besides
        std::optional<std::string> failure;  ///< why it has not done its work; while off, why it is
        lease_turn turn;
        bool off_until_reached = false;         ///< the turn; else for its time
        bool distrusted = false;                ///< open, and yet a script found it wrong
        std::optional<deadline> free_since;     ///< see may_take()
        std::optional<deadline> rebuild_since;  ///< by another
        stock::seq_watch seq;
        std::uint64_t lacks_bytes = 0;  ///< of what a rebuild would need
        backoff pause{std::chrono::seconds{1}, std::chrono::seconds{30}};  ///< between attempts
        deadline rebuild_from{};
        std::uint64_t sessions = 0;  ///< that were made with the databases
        bool record_due = false;     ///< to be compared with the gate
        bool record_behind = false;  ///< as it was compared last, with a gate that is closed
        backoff record_pause{std::chrono::seconds{1}, std::chrono::seconds{30}};
        deadline record_from{};
    };

    void pass(shard& of);
    void look_at_log(shard& of, const stock::shard_state& known, bool mine);
    bool may_take(shard& of);
    bool reaches(const shard& of) const;
    void end_turn(shard& of, deadline began);
    bool is_newest(shard& of, const stock::shard_state& known, const stock::gate::levels& gate);
    bool has_a_way(shard& of, const stock::shard_state& known);
    void rebind(const shard& of);
    void reconcile(shard& of);
    struct server_look {
        stock::gate_server server;
        std::optional<stock::gate_header> header;  ///< read before the server was
    };
    std::optional<server_look> look_at_server(shard& of);
    bool is_trusted(shard& of, const std::optional<server_look>& look,
                    const stock::gate::levels& gate);
    void note_memory(shard& of, const stock::gate_server& server);
    void note_sessions(shard& of, bool just_taken);
    stock::breath breathe_for(shard& of);
    std::optional<bool> check_record_of(shard& of, std::string& why);
    bool is_known_to_record(shard& of);
    bool may_be_rebuilt(shard& of, const std::optional<server_look>& look);
    void tell_of_record(shard& of);
    void shut(shard& of, const std::string& why);
    bool compare_supplied(shard& of);
    std::expected<void, stock::errc> give(std::vector<stock::gate_product> products);
    void undo_terms(shard& of, const std::vector<stock::gate_product>& behind);
    void resolve_late(shard& of);
    void reconcile_outbox(shard& of);
    void note_outbox(shard& of);
    void send_barrier(shard& of);
    void look_again(shard& of);
    void rebuild_gate(shard& of, const stock::shard_state& known);
    void tell();
    void warn(shard& of, const std::string& what);
    void cannot(shard& of, const std::string& what);

    deadline now() const { return uses_.timing.now(); }
    /// The gates are in Redis; else the products table is the gate.
    bool has_gates() const { return !uses_.gates.empty(); }
    /// Of the gate, which calls back.
    template <class T>
    T wait_for(const std::function<void(callback<T>)>& start) {
        return flashsale::wait_for<T>(
            [this](const std::function<bool()>& done) { uses_.timing.wait(done); }, start);
    }

    const ports uses_;
    const options with_;
    fault_board& board_;
    const uuid holder_;
    std::vector<shard> shards_;
    bool database_answers_ = false;
    std::string last_warning_;
};

}  // namespace flashsale::recovery
