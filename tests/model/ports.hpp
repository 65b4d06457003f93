#pragma once

// The recorder's ports on the simulated databases.

#include <flashsale/order/recording.hpp>
#include <flashsale/stock.hpp>

#include <memory>

namespace flashsale::model {

class process;

std::unique_ptr<order::recording> make_recording_port(process& of);
std::unique_ptr<stock::ledger> make_ledger_port(process& of);

}  // namespace flashsale::model
