#pragma once

// The order database and the stock database: what their tables hold, and their transactions as
// whole steps. A statement is on its way for a while, is done or not, and its reply may be lost.

#include <flashsale/events/event.hpp>
#include <flashsale/order/recording.hpp>
#include <flashsale/stock/returns.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "world.hpp"

namespace flashsale::model {

class life_tables;

class database {
public:
    database(world& in, std::string name) : in_(in), name_(std::move(name)) {}

    void travel(int process, std::uint64_t life, std::uint64_t kept,
                std::move_only_function<void(bool reply_lost)> what);

    void go_down(micros time);
    void lose_replies(micros time) { losing_until_ = in_.now() + time; }
    void stall(micros time);
    bool up() const { return in_.now() >= down_until_; }
    /// It answers, and at once.
    bool is_well() const {
        return up() && in_.now() >= stalled_until_ && in_.now() >= losing_until_;
    }

    /// A process's connection, which the server knows to be there or gone.
    struct session {
        int process = -1;
        std::uint64_t life = 0, number = 0;
        bool operator==(const session&) const = default;
    };
    /// The one by which that process asks now.
    session session_of(int process, std::uint64_t life) const;
    bool lives(const session& one) const;
    /// They are gone; the process need not know.
    void drop_sessions(int process, std::uint64_t life);

protected:
    world& in_;

private:
    const std::string name_;
    void arrive(int process, std::uint64_t life, std::uint64_t kept,
                std::move_only_function<void(bool reply_lost)> what);

    micros down_until_ = 0;
    micros stalled_until_ = 0;
    micros losing_until_ = 0;
    std::uint64_t times_down_ = 0;
    std::map<std::pair<int, std::uint64_t>, std::uint64_t> drops_;  // of each process's life
    std::set<std::pair<int, std::uint64_t>> ended_;                 // with their process
};

struct parked_event {
    std::string event, reason;
    bool holds_units = true;
};

class order_database : public database {
public:
    explicit order_database(world& in);
    ~order_database();

    using key = std::tuple<std::int64_t, std::int64_t, std::string>;  // user, product, key

    /// By the fence that the recorder believes in.
    order::recording_report record(const std::vector<events::order_accepted>& orders,
                                   std::uint64_t fence);
    void keep_late(const std::vector<events::event>& late);
    void park(const uuid& id, std::string event, std::string reason, bool holds_units = true);
    bool has(const uuid& id) const { return orders.contains({id}); }

    std::map<stock::allocation_id, stock::allocation> orders;
    const std::unique_ptr<life_tables> life;
    std::map<key, uuid> by_key;
    std::map<uuid, parked_event> parked;
    std::map<uuid, events::event> late;      ///< to be asked again when the gate is open
    std::map<uuid, std::uint64_t> barriers;  ///< their epochs
    std::uint64_t fence = 0;                 ///< older events are late
};

inline constexpr std::int64_t price = 100;  ///< of a unit, minor units

struct product_row {
    std::int64_t id = 0, supplied = 0, stock = 0;
    std::optional<std::int64_t> limit;
    std::uint32_t payment_window_s = 0;
    std::int64_t returned = 0;  ///< of supplied, what orders have given back
};
stock::gate_product units_of(const product_row& row);

class stock_database : public database {
public:
    explicit stock_database(world& in) : database(in, "stock database") {}

    std::vector<stock::refused_movement> record(const std::vector<stock::movement>& movements,
                                                std::uint64_t fence);
    /// As src/stock/ledger/postgres_returns.cpp.
    stock::recorded_returns record_returns(const std::vector<stock::ended_line>& lines);

    std::map<std::int64_t, product_row> products;
    struct came_back {
        std::int64_t quantity = 0;
        bool restock = true;
    };
    std::map<stock::allocation_id, came_back> returned;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> buyer_returns;  // product, user
    std::map<stock::allocation_id, stock::movement> movements;
    std::set<std::pair<std::int64_t, std::string>> restocks;  // product, key
    std::map<std::pair<std::int64_t, std::string>, uuid> reductions_by_key;
    std::uint64_t epoch = 0;
    std::uint64_t fence = 0;  ///< older reductions are late
    std::string state = "never";
    uuid token;  ///< of the newest epoch
    struct lease {
        uuid holder;
        micros until = 0;
        session by;
    };
    std::optional<lease> leased;
    bool is_leased() const;
    std::map<uuid, std::uint64_t> tokens;  ///< that the log may still take: of these epochs
};

}  // namespace flashsale::model
