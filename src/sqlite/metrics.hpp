#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::sqlite::metrics {

extern metric transactions;
extern metric transactions_failed;
extern metric jobs;
extern metric overloaded;

}  // namespace flashsale::sqlite::metrics
