#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::redis::metrics {

extern metric connects;
extern metric disconnects;
extern metric timeouts;
extern metric overloads;
extern metric scripts_resent;

}  // namespace flashsale::redis::metrics
