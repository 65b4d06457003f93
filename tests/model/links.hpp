#pragma once

namespace flashsale::model {

/// Numbers of connections begin again: each run is the same, whichever ran before.
void forget_links();

}  // namespace flashsale::model
