#include "amqp_topology.hpp"

namespace flashsale::events {

amqp::options connection_options(const amqp_options& options, const char* purpose) {
    amqp::options out;
    out.url = options.url;
    out.connect_timeout = options.connect_timeout;
    out.heartbeat = options.heartbeat;
    out.stall_timeout = options.stall_timeout;
    out.connection_name = options.name_prefix + " " + purpose;
    return out;
}

std::expected<void, std::string> reach_amqp(const amqp_options& options) {
    return amqp::reach(connection_options(options, "start"));
}

amqp::topology topology_of(const amqp_options& options) {
    amqp::topology names;
    names.exchange = options.name_prefix + ".log";
    names.queue = options.name_prefix + ".recorder";
    if (options.takes_nil_token) names.binding_key = uuid{}.to_string();
    names.dead_letter_exchange = options.name_prefix + ".dead";
    names.dead_letter_queue = options.name_prefix + ".dead";
    if (!options.deployment.empty()) names.owner = names.exchange + ".of." + options.deployment;
    names.replaced_exchange = options.name_prefix + ".events";
    return names;
}

log_state state_of(amqp::link_state link) {
    switch (link) {
        case amqp::link_state::up:
            return log_state::up;
        case amqp::link_state::blocked:
            return log_state::blocked;
        case amqp::link_state::down:
            break;
    }
    return log_state::down;
}

}  // namespace flashsale::events
