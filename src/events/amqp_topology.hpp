#pragma once

#include <flashsale/amqp.hpp>
#include <flashsale/events/amqp.hpp>

namespace flashsale::events {

amqp::options connection_options(const amqp_options& options, const char* purpose);
amqp::topology topology_of(const amqp_options& options);
log_state state_of(amqp::link_state link);

}  // namespace flashsale::events
