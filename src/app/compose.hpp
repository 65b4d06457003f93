#pragma once

// From the configuration to each module's options: the one place where they meet.

#include <flashsale/events/amqp.hpp>
#include <flashsale/http.hpp>
#include <flashsale/order/clerk.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/redis.hpp>
#include <flashsale/stock/module.hpp>
#include <flashsale/user/module.hpp>

#include "capabilities.hpp"
#include "config.hpp"

namespace flashsale::app {

inline std::size_t size_of(std::int64_t value) {
    return static_cast<std::size_t>(value);
}
inline std::chrono::milliseconds ms_of(std::int64_t value) {
    return std::chrono::milliseconds{value};
}

inline postgres::options postgres_options(const config& from, const std::string& url) {
    postgres::options out;
    out.url = url;
    out.connect_timeout = ms_of(from.postgres.connect_timeout_ms);
    out.statement_timeout = ms_of(from.postgres.statement_timeout_ms);
    out.lock_timeout = ms_of(from.postgres.lock_timeout_ms);
    return out;
}

inline postgres::pool_limits pool_limits(const config& from) {
    postgres::pool_limits out;
    out.connections = size_of(from.postgres.connections_per_worker);
    out.pipelined_statements_max = size_of(from.postgres.pipelined_statements_max);
    out.waiting_statements_max = size_of(from.postgres.waiting_statements_max);
    return out;
}

inline stock::reserver_options reserver_options_of(const config& from) {
    stock::reserver_options out;
    out.confirm_deadline = ms_of(from.orders.confirm_deadline_ms);
    out.waiting_reservations_max = size_of(from.stock.waiting_reservations_max);
    out.message_events_enough = size_of(from.stock.message_events_enough);
    out.message_batches_max = size_of(from.stock.message_batches_max);
    return out;
}

inline order::clerk_options clerk_options_of(const config& from) {
    order::clerk_options out;
    out.currency = currency_code::of_record(from.stock.currency);
    out.payment_grace = std::chrono::seconds{from.orders.payment_grace_s};
    return out;
}

inline redis::options redis_options(const config& from, const std::string& url) {
    redis::options out;
    out.url = url;
    out.connect_timeout = ms_of(from.redis.connect_timeout_ms);
    out.reply_timeout = ms_of(from.redis.reply_timeout_ms);
    out.pending_commands_max = size_of(from.redis.pending_commands_max);
    return out;
}

/// `deployment`: as the stock database has it.
inline events::amqp_options amqp_options(const config& from, const std::string& deployment) {
    events::amqp_options out;
    out.deployment = deployment;
    out.takes_nil_token = !capabilities_of(from).rebuilds_gates();
    out.url = from.amqp.url;
    out.name_prefix = from.amqp.name_space;
    out.connect_timeout = ms_of(from.amqp.connect_timeout_ms);
    out.heartbeat = ms_of(from.amqp.heartbeat_ms);
    out.stall_timeout = ms_of(from.amqp.stall_timeout_ms);
    out.confirm_timeout = ms_of(from.amqp.confirm_timeout_ms);
    out.publish_window_messages_max = size_of(from.amqp.publish_window_messages_max);
    out.events_per_message_max = size_of(from.amqp.events_per_message_max);
    out.message_bytes_max = size_of(from.amqp.message_bytes_max);
    out.waiting_events_max = size_of(from.amqp.waiting_events_max);
    out.messages_per_batch_max = size_of(from.recorder.messages_per_batch_max);
    out.batch_interval = ms_of(from.recorder.batch_interval_ms);
    out.prefetch_messages = static_cast<std::uint16_t>(from.amqp.prefetch_messages);
    return out;
}

inline order::pacing_options pacing_options(const config& from) {
    return {static_cast<double>(from.recorder.pacing_percent) / 100,
            ms_of(from.recorder.pacing_lag_max_ms),
            static_cast<std::uint64_t>(from.stock.outbox_events_max) / 2,
            ms_of(from.recorder.pacing_max_ms)};
}

inline http::limits http_limits(const config& from) {
    http::limits out;
    out.connections_max = size_of(from.http.connections_max);
    out.header_bytes_max = size_of(from.http.header_bytes_max);
    out.body_bytes_max = size_of(from.http.body_bytes_max);
    out.uri_bytes_max = size_of(from.http.uri_bytes_max);
    out.pipelined_requests_max = size_of(from.http.pipelined_requests_max);
    out.requests_per_connection_max =
        static_cast<std::uint64_t>(from.http.requests_per_connection_max);
    out.request_timeout = ms_of(from.http.request_timeout_ms);
    out.idle_timeout = ms_of(from.http.idle_timeout_ms);
    out.write_timeout = ms_of(from.http.write_timeout_ms);
    out.streams_max = size_of(from.http.streams_max);
    out.hosts = from.hosts();
    out.cors_origins = from.cors_origins();
    return out;
}

inline stock::redis_gate_options redis_gate_options(const config& from,
                                                    const std::string& deployment = {}) {
    stock::redis_gate_options out;
    out.deployment = deployment;
    out.key_prefix = from.redis.key_prefix;
    out.batching = {
        .reservations_max = size_of(from.stock.gate_batch_reservations_max),
        .batches_in_flight_max = size_of(from.stock.gate_batches_in_flight_max),
        .beside_another_min = size_of(from.stock.beside_another_reservations_min),
        .gather_max = std::chrono::microseconds(from.stock.gather_max_us),
        .gathered_enough = size_of(from.stock.gathered_reservations_enough),
    };
    out.outbox_events_max = size_of(from.stock.outbox_events_max);
    out.load_rows_max = size_of(from.recovery.load_rows_max);
    return out;
}

inline stock::database_gate_options database_gate_options(const config& from) {
    stock::database_gate_options out;
    out.tries_max = static_cast<int>(from.stock.gate_tries_max);
    out.outbox_events_max = size_of(from.stock.outbox_events_max);
    return out;
}

/// What stands behind the host in a URL: a database, a virtual host.
inline std::string path_of(std::string_view url) {
    const auto scheme = url.find("://");
    const auto slash = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
    return slash == std::string_view::npos ? std::string() : std::string(url.substr(slash + 1));
}

inline std::string redis_database_of(std::string_view url) {
    const auto parameter = url.find("?db=");
    std::string database = parameter != std::string_view::npos
                               ? std::string(url.substr(parameter + 4))
                           : url.starts_with("unix:") ? std::string()
                                                      : path_of(url);
    return database.empty() ? "0" : database;
}

inline stock::deployment deployment_of(const config& from) {
    stock::deployment out{from.stock.gate,
                          capabilities_of(from).shards,
                          ms_of(from.orders.confirm_deadline_ms),
                          from.amqp.prefetch_messages,
                          {}};
    std::string host = path_of(from.amqp.url);
    if (host.empty() || host == "%2F") host = "%2f";
    out.places = {{"amqp.namespace", from.amqp.name_space}, {"virtual host of amqp.url", host}};
    out.currency = from.stock.currency;
    if (!capabilities_of(from).rebuilds_gates()) return out;
    std::string databases;
    for (const std::string& url : from.redis_urls())
        databases += (databases.empty() ? "" : ",") + redis_database_of(url);
    out.places.emplace_back("redis.key_prefix", from.redis.key_prefix);
    out.places.emplace_back("databases of redis.url", databases);
    return out;
}

}  // namespace flashsale::app
