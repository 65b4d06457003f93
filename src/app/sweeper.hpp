#pragma once

// Looks after the shards, on a thread of its own: finishes what dead processes left behind, and
// reopens gates that lost their data. Every serving process has one; of each shard one at a time
// does the work, the one that has its lease.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <flashsale/base/backoff.hpp>
#include <flashsale/base/fault_board.hpp>
#include <flashsale/events/log.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/stock/gate_server.hpp>
#include <flashsale/stock/record.hpp>
#include <flashsale/stock/recovery.hpp>

#include "event_publisher.hpp"
#include "gate_access.hpp"
#include "lease_turn.hpp"
#include "outbox_sweep.hpp"

namespace flashsale::app {

class sweeper {
public:
    /// `deployment`: as agree_on_deployment() returned it. What it learns of the gates and of the
    /// record is on the board as soon as it has learnt it.
    sweeper(const config& settings, stock::shard_generations& generations, events::log& log,
            std::string deployment, fault_board& board);
    ~sweeper() { stop(); }

    void start();
    void stop();
    /// Something is the matter: look at once. Any thread.
    void hurry();

private:
    struct shard {
        shard(std::uint32_t of, std::chrono::milliseconds barrier_patience,
              std::chrono::milliseconds turn_patience)
            : number(of), outbox(barrier_patience), turn(turn_patience) {}

        std::uint32_t number;
        outbox_sweep outbox;
        std::string outbox_cursor;
        std::int64_t products_after = 0;
        uuid late_after;
        std::uint64_t generation = 0;             ///< of the gate
        uuid token;                               ///< likewise
        bool holds = false;                       ///< the lease, as of the last pass
        std::optional<std::string> fault;         ///< hinders orders, or their being recorded
        std::optional<std::string> server_fault;  ///< nothing may be sold from this server
        std::optional<std::string> note;          ///< what the last pass met besides
        std::optional<std::string> failure;  ///< why it has not done its work; while off, why it is
        lease_turn turn;
        bool off_until_reached = false;  ///< the turn; else for its time
        bool distrusted = false;         ///< open, and yet a script found it wrong
        std::optional<std::chrono::steady_clock::time_point> free_since;       ///< see may_take()
        std::optional<std::chrono::steady_clock::time_point> reopening_since;  ///< by another
        stock::seq_watch seq;
        std::uint64_t lacks_bytes = 0;  ///< of what a reopening would need
        backoff pause{std::chrono::seconds{1}, std::chrono::seconds{30}};  ///< between attempts
        std::chrono::steady_clock::time_point reopen_from{};
        std::uint64_t sessions = 0;  ///< that were made with the databases
        bool record_due = false;     ///< to be compared with the gate
        bool record_behind = false;  ///< as it was compared last, with a gate that is closed
        backoff record_pause{std::chrono::seconds{1}, std::chrono::seconds{30}};
        std::chrono::steady_clock::time_point record_from{};
    };

    void run();
    void pass(shard& of);
    void look_at_log(shard& of, const stock::shard_state& known, bool mine);
    bool may_take(shard& of);
    bool reaches(const shard& of) const;
    void end_turn(shard& of, std::chrono::steady_clock::time_point began);
    bool is_newest(shard& of, const stock::shard_state& known, const stock::gate::levels& gate);
    bool has_a_way(shard& of, const stock::shard_state& known);
    void rebind(const shard& of);
    void sweep(shard& of);
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
    bool compare_given(shard& of);
    void settle_late(shard& of);
    void sweep_outbox(shard& of);
    void note_outbox(shard& of);
    void send_barrier(shard& of);
    void look_again(shard& of);
    void reopen_gate(shard& of, const stock::shard_state& known);
    void rest(std::chrono::milliseconds time);
    void tell();
    void warn(shard& of, const std::string& what);
    void cannot(shard& of, const std::string& what);

    template <class T>
    T wait_for(const std::function<void(callback<T>)>& start);

    const config settings_;
    stock::shard_generations& generations_;
    events::log& log_;
    const std::string deployment_;
    fault_board& board_;
    const uuid holder_;
    uuid_generator ids_;
    asio::io_context io_{1};
    asio::executor_work_guard<executor> work_{io_.get_executor()};
    gate_access access_;
    postgres::session stock_database_;
    postgres::session order_database_;
    std::unique_ptr<stock::record_reader> products_;
    std::vector<shard> shards_;
    std::optional<event_publisher> publisher_;  // the sweeper's thread alone, as all above
    bool database_answers_ = false;
    std::string last_warning_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> hurried_{false};
    std::jthread thread_;
};

template <class T>
T sweeper::wait_for(const std::function<void(callback<T>)>& start) {
    std::optional<T> reply;
    start([&reply](T result) { reply = std::move(result); });
    while (!reply) {
        io_.restart();
        io_.run_one();
    }
    return std::move(*reply);
}

}  // namespace flashsale::app
