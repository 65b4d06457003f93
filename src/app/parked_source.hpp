#pragma once

// Where parked events are, and what a decision about one needs, in either composition. Blocking.

#include <flashsale/order/parked_decisions.hpp>

#include <memory>

#include "config.hpp"

namespace flashsale::app {

class parked_source : public order::parked_units {
public:
    virtual order::parked_events& parked() = 0;
    virtual order::recording& orders() = 0;
    virtual stock::ledger& ledger() = 0;

    /// What becomes of units that were given back, for people.
    virtual const char* after_giving_back() const = 0;
};

/// Throws unavailable_error if a database cannot be read or is not of this version.
std::unique_ptr<parked_source> make_stack_parked_source(const config& settings);
/// To decide, the folder is locked for as long as the source lives: unavailable_error if a process
/// serves it, whose gate would know nothing of the decision.
std::unique_ptr<parked_source> make_embedded_parked_source(const config& settings, bool to_decide);

}  // namespace flashsale::app
