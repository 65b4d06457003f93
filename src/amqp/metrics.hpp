#pragma once

#include <flashsale/base/metrics.hpp>

namespace flashsale::amqp::metrics {

extern metric connects;
extern metric disconnects;
extern metric blocked;
extern metric published;
extern metric confirmed;
extern metric returned;
extern metric nacked;
extern metric unknown;
extern metric confirm_timeouts;
extern metric stalls;
extern metric delivered;
extern metric redelivered;
extern metric dead_lettered;

}  // namespace flashsale::amqp::metrics
