#pragma once

// The configuration, as the rest of the program sees it. What each key means, its range and its
// default stand in config_settings.cpp, once, for the reader, the schema and the help alike.

#include <cstdint>
#include <expected>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace flashsale::app {

struct config {
    struct {
        std::string address;
        std::int64_t port, workers;
        std::int64_t connections_max, header_bytes_max, body_bytes_max, uri_bytes_max;
        std::int64_t pipelined_requests_max, requests_per_connection_max;
        std::int64_t request_timeout_ms, idle_timeout_ms, write_timeout_ms, streams_max;
        std::string hosts, cors_origins;
        std::int64_t catalogue_max_age_s;
    } http;
    struct {
        std::int64_t cached_users_max, waiting_lookups_max;
    } users;
    struct {
        std::string gate, currency;
        std::int64_t gate_batch_reservations_max, gate_batches_in_flight_max, gate_tries_max;
        std::int64_t beside_another_reservations_min, gather_max_us, gathered_reservations_enough;
        std::int64_t message_events_enough, message_batches_max;
        std::int64_t waiting_reservations_max, outbox_events_max;
    } stock;
    struct {
        std::int64_t confirm_deadline_ms, payment_grace_s;
    } orders;
    struct {
        bool enabled;
        std::int64_t messages_per_batch_max;
        std::int64_t batch_interval_ms;
        std::int64_t pacing_percent, pacing_max_ms, pacing_lag_max_ms, step_aside_after_ms;
    } recorder;
    struct {
        std::int64_t reconcile_interval_ms, reconcile_events_max, barrier_patience_ms, lease_ms;
        bool rebuild_automatically;
        std::int64_t load_rows_max;
    } recovery;
    struct {
        std::string url, key_prefix;
        std::int64_t connect_timeout_ms, reply_timeout_ms, pending_commands_max;
    } redis;
    struct {
        std::string url, name_space;
        std::int64_t connect_timeout_ms, heartbeat_ms, stall_timeout_ms, confirm_timeout_ms;
        std::int64_t publish_window_messages_max, events_per_message_max, message_bytes_max;
        std::int64_t waiting_events_max, prefetch_messages;
    } amqp;
    struct {
        std::string user_url, stock_url, order_url;
        std::int64_t connect_timeout_ms, statement_timeout_ms, lock_timeout_ms;
        std::int64_t connections_per_worker, pipelined_statements_max, waiting_statements_max;
    } postgres;
    struct {
        std::string folder;
        std::int64_t busy_timeout_ms, cache_kilobytes, waiting_jobs_max;
    } sqlite;
    struct {
        std::string level;
    } log;
    struct {
        std::int64_t start_timeout_ms, drain_delay_ms, drain_timeout_ms;
    } process;

    /// The servers of the gate's shards, in order: redis.url split at its commas.
    std::vector<std::string> redis_urls() const;
    /// http.hosts split at its commas; none: any.
    std::vector<std::string> hosts() const;
    /// http.cors_origins likewise; none: none.
    std::vector<std::string> cors_origins() const;
};

/// One line for people: where, what is wrong, what was expected.
struct config_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The variable of a key, FLASHSALE_SECTION__KEY.
std::string environment_name_of(std::string_view path);

/// One key. Its path is `section.key`, its environment variable FLASHSALE_SECTION__KEY.
struct setting {
    struct integer {
        std::int64_t& (*in)(config&);
        std::int64_t min, max, fallback;
    };
    struct text {
        std::string& (*in)(config&);
        std::string_view fallback;
        std::vector<std::string_view> choices;  ///< empty: any text
        std::string_view form;                  ///< what is expected, in words
        bool (*valid)(std::string_view);        ///< nullptr: anything but the empty text
        /// For what may hold a secret: the parser of its user. Its error says what is expected
        /// and repeats nothing of the value, and no other message does.
        std::expected<void, std::string> (*parses)(const std::string&) = nullptr;
    };
    struct flag {
        bool& (*in)(config&);
        bool fallback;
    };

    std::string_view path;
    std::string_view meaning;
    std::variant<integer, text, flag> value;

    std::string environment_name() const { return environment_name_of(path); }
    /// Whether a running process takes another value on SIGHUP.
    bool reloads() const;
};

std::span<const setting> settings();

/// Reads the file, then the environment over it. Throws config_error.
config read_config(const std::string& path);
/// What is run when no file is named: embedded, with all defaults. The environment goes over it,
/// and may make it another.
config read_builtin_config();
/// One or the other: without a path the built-in one.
config read_config_or_builtin(const std::string& path);
/// As read_config(), from text; `name` stands for the file in errors. `environment` as in main().
config parse_config(std::string_view text, std::string_view name, const char* const* environment);

/// The JSON Schema of the file, generated from settings().
std::string config_json_schema();

/// A URL of the configuration, or the list of them, fit for logs: without any secret. Of any other
/// text nothing.
std::string without_password(std::string_view url);

/// What an error may repeat of a text that was found where another was expected: little, and
/// nothing that looks as if a secret could be in it.
std::string quoted_for_error(std::string_view found);

}  // namespace flashsale::app
