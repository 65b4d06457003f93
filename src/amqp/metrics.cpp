#include "metrics.hpp"

namespace flashsale::amqp::metrics {

using kind = metric::kind;

metric connects(kind::counter, "amqp_connects_total", "Connections that became usable");
metric disconnects(kind::counter, "amqp_disconnects_total", "Connections lost after that");
metric blocked(kind::gauge, "amqp_blocked", "Connections that the broker has blocked by an alarm");
metric published(kind::counter, "amqp_published_total", "Messages handed to the broker");
metric confirmed(kind::counter, "amqp_confirmed_total", "Messages confirmed by the broker");
metric returned(kind::counter, "amqp_returned_total", "Messages returned as unroutable");
metric nacked(kind::counter, "amqp_nacked_total", "Messages refused by the broker");
metric unknown(kind::counter, "amqp_unknown_total", "Messages whose fate was not learned");
metric confirm_timeouts(kind::counter, "amqp_confirm_timeouts_total",
                        "Times that the oldest message waited too long for its confirm");
metric stalls(kind::counter, "amqp_stalls_total",
              "Connections cut because a call of the library did not return");
metric delivered(kind::counter, "amqp_delivered_total", "Messages delivered to this process");
metric redelivered(kind::counter, "amqp_redelivered_total",
                   "Messages among them that had been delivered before");
metric dead_lettered(kind::counter, "amqp_dead_lettered_total",
                     "Messages sent to the dead-letter exchange");

}  // namespace flashsale::amqp::metrics
