#pragma once

namespace flashsale::model {

/// An operator has asked for a rebuild, whatever the gate's state; the process that asks here
/// does it.
bool take_rebuild_request();

}  // namespace flashsale::model
