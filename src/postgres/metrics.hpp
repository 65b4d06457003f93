#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::postgres::metrics {

extern metric statements;
extern metric overloaded;
extern metric outcomes_unknown;
extern metric connections_lost;
extern metric connects_failed;

}  // namespace flashsale::postgres::metrics
