#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::order::metrics {

extern metric recorded;
extern metric duplicates;
extern metric parked;
extern metric late;
extern metric barriers;
extern metric batches;
extern metric retries;
extern metric lag_ms;
extern metric asides;
extern metric unpruned;
extern metric unpruned_dropped;

}  // namespace flashsale::order::metrics
