#pragma once

namespace flashsale::model {

/// An operator has asked for a reopening, whatever the gate's state; the process that asks here
/// does it.
bool take_reopening_request();

}  // namespace flashsale::model
