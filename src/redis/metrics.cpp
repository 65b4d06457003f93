#include "metrics.hpp"

namespace flashsale::redis::metrics {

metric connects(metric::kind::counter, "redis_connects_total",
                "Connections that became ready for commands");
metric disconnects(metric::kind::counter, "redis_disconnects_total",
                   "Connections lost after they were ready");
metric timeouts(metric::kind::counter, "redis_reply_timeouts_total",
                "Commands whose reply did not come in time");
metric overloads(metric::kind::counter, "redis_overloaded_total",
                 "Commands turned away because too many were unanswered");
metric scripts_resent(metric::kind::counter, "redis_scripts_resent_total",
                      "Scripts sent in full because the server did not know their SHA-1");

}  // namespace flashsale::redis::metrics
