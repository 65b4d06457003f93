#pragma once

// What a person decides about a parked event, carried out. It prints nothing: the caller words the
// outcome. An event that holds units took them at a gate, and every audit counts them as taken; so
// each decision moves them in one step from one column to another, and the sums hold after it.
//
//   retry   holding units: it is recorded as any event; if the databases refuse it again, it stays.
//           Holding none (a later gate refused it): the gate is asked once more, by the reconciler.
//   drop    holding units: the ledger takes them under the event's id and has them back, in one
//           transaction; then the reconciler tells the gate what was given, or the next start of an
//           embedded process loads it.
//           Holding none: nothing but a note that it was dropped.
//
// Two people may decide about one event at once, and either may die anywhere. The ledger's row of
// the event's id decides which of them came first: units that were sold, or units that have
// returned. The other is told, and takes back the order if it has made one. What was begun is
// finished by the same decision, made again.

#include <cstdint>
#include <expected>
#include <string>

#include "flashsale/base/uuid.hpp"
#include "flashsale/order/parked.hpp"
#include "flashsale/order/recording.hpp"
#include "flashsale/stock.hpp"
#include "flashsale/stock/given_back.hpp"

namespace flashsale::order {

/// What a decision needs from outside the order module, as the composition gives it. Blocking.
class parked_units {
public:
    virtual ~parked_units() = default;

    enum class hold {
        none,          ///< they can be given back
        sold_by_gate,  ///< the gate is the database: it has sold them in the ledger itself
        in_log,        ///< the log still has the event, and will bring it once more
    };

    /// Whether a process asks the gate again for an event that a later gate refused.
    virtual bool asks_again() const = 0;
    /// Why the units of this event cannot be given back.
    virtual std::expected<hold, std::string> hold_on(const uuid& id) = 0;
    virtual std::expected<stock::given_back, std::string> give_back(
        const stock::movement& taken) = 0;
    virtual std::expected<bool, std::string> is_given_back(const stock::movement& taken) = 0;
};

struct parked_outcome {
    enum class kind {
        // ---- made
        recorded,           ///< it is an order, or a reduction, now
        to_be_asked_again,  ///< the gate decides, and may refuse it again
        dropped,            ///< it held no units
        given_back,         ///< dropped: `units` are given again
        given_back_before,  ///< dropped: its units were given again by an earlier decision
        of_no_product,      ///< dropped: there is no product to give units to
        // ---- not made
        not_parked,       ///< no event of this id is
        dropped_before,   ///< it never can be anything
        unreadable,       ///< `reason`: its text is no event; it can be dropped
        not_asked_again,  ///< it holds no units, and no process asks the gate again: drop it
        takes_no_units,   ///< it is neither an order nor a reduction: drop it
        refused_again,   ///< `reason`, if the ledger refuses it; else the order database's is noted
        drop_begun,      ///< an earlier drop was not finished: drop it
        sold_by_gate,    ///< as hold::sold_by_gate
        in_log,          ///< as hold::in_log
        order_recorded,  ///< its order was accepted: it can only be retried
        in_ledger,       ///< the ledger has sold its units: it can only be retried
    };

    kind what = kind::not_parked;
    std::int64_t units = 0;
    std::string reason = {};

    bool made() const { return what < kind::not_parked; }
};

/// Blocking; one thread. An error's text is for people: a database cannot be asked, and what was
/// begun is finished by the same decision, made again.
class parked_decisions {
public:
    /// `orders` and `ledger` without fences: every gate since has kept the units of what is parked.
    struct dependencies {
        parked_events& parked;
        recording& orders;
        stock::ledger& ledger;
        parked_units& units;
    };

    explicit parked_decisions(const dependencies& uses) : uses_(uses) {}

    std::expected<parked_outcome, std::string> retry(const uuid& id);
    std::expected<parked_outcome, std::string> drop(const uuid& id);

private:
    using outcome = std::expected<parked_outcome, std::string>;

    /// Of one that can still be decided about; else the outcome says why not.
    std::expected<std::optional<parked_row>, std::string> find(const uuid& id,
                                                               parked_outcome& why_not);
    outcome record(const uuid& id, const events::event& event);
    outcome give_back(const stock::movement& taken);

    const dependencies uses_;
};

}  // namespace flashsale::order
