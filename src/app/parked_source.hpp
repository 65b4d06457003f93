#pragma once

// Where parked events are, and what a decision about one needs. Blocking.

#include <flashsale/order/parked_decisions.hpp>

#include "record.hpp"

namespace flashsale::app {

class parked_source : public order::parked_units {
public:
    virtual const record_ports& record() const = 0;
    /// What becomes of units that were given back, for people.
    virtual const char* after_giving_back() const = 0;
};

}  // namespace flashsale::app
