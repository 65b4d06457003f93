#pragma once

// Where parked events are, and what a decision about one needs, in either composition. Blocking.

#include <flashsale/order/parked.hpp>
#include <flashsale/order/recording.hpp>
#include <flashsale/stock/recovery.hpp>

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "config.hpp"

namespace flashsale::app {

class parked_source {
public:
    virtual ~parked_source() = default;

    virtual order::parked_events& parked() = 0;
    virtual order::recording& orders() = 0;
    virtual stock::ledger& ledger() = 0;

    /// Whether a process asks the gate again for an event that a later gate refused.
    virtual bool asks_again() const = 0;
    /// Why the units of this event cannot be given back, for people; nullopt: they can.
    virtual std::optional<std::string> keeps_units_of(const uuid& id) = 0;
    virtual std::expected<stock::given_back, std::string> give_back(
        const stock::movement& taken) = 0;
    virtual std::expected<bool, std::string> is_given_back(const stock::movement& taken) = 0;
    /// What becomes of units that were given back, for people.
    virtual const char* after_giving_back() const = 0;
};

/// Throws unavailable_error if a database cannot be read or is not of this version.
std::unique_ptr<parked_source> make_stack_parked_source(const config& settings);
/// To decide, the folder is locked for as long as the source lives: unavailable_error if a process
/// serves it, whose gate would know nothing of the decision.
std::unique_ptr<parked_source> make_embedded_parked_source(const config& settings, bool to_decide);

}  // namespace flashsale::app
