#include <algorithm>
#include <limits>

#include <flashsale/amqp.hpp>
#include <flashsale/base/currency.hpp>
#include <flashsale/http.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/redis.hpp>

#include "config.hpp"

namespace flashsale::app {

namespace {

constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t megabyte = 1 << 20;

std::expected<void, std::string> parses_as_redis_urls(const std::string& urls) {
    std::string_view left = urls;
    for (int number = 1;; ++number) {
        const auto comma = left.find(',');
        if (auto done = redis::check_url(left.substr(0, comma)); !done) {
            // Which one, where a comma is no mistake.
            const bool several = urls.find(',') != std::string::npos;
            return std::unexpected((several ? "URL " + std::to_string(number) + ": " : "") +
                                   done.error() +
                                   ", several of them separated by a comma, a comma inside as %2c");
        }
        if (comma == std::string_view::npos) return {};
        left.remove_prefix(comma + 1);
    }
}
std::expected<void, std::string> parses_as_amqp_url(const std::string& url) {
    return amqp::check_url(url);
}
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    });
}

/// Of the broker's own exchanges, which it lets no client declare.
bool is_namespace(std::string_view text) {
    return is_name(text) && !text.starts_with("amq.");
}

std::vector<std::string> split_at_commas(std::string_view text) {
    std::vector<std::string> parts;
    while (true) {
        const auto comma = text.find(',');
        parts.emplace_back(text.substr(0, comma));
        if (comma == std::string_view::npos) return parts;
        text.remove_prefix(comma + 1);
    }
}

bool are_hosts(std::string_view text) {
    return text.empty() || std::ranges::all_of(split_at_commas(text), [](const std::string& one) {
               return !one.empty() && http::is_host(one);
           });
}

bool are_origins(std::string_view text) {
    return text.empty() || text == "*" ||
           std::ranges::all_of(split_at_commas(text),
                               [](const std::string& one) { return http::is_origin(one); });
}

#define INTEGER(member, min, max, fallback)                                     \
    setting::integer {                                                          \
        [](config& c) -> std::int64_t& { return c.member; }, min, max, fallback \
    }
#define TEXT(member, fallback, form, valid)                                           \
    setting::text {                                                                   \
        [](config& c) -> std::string& { return c.member; }, fallback, {}, form, valid \
    }
#define SECRET(member, fallback, parses)                                                           \
    setting::text {                                                                                \
        [](config& c) -> std::string& { return c.member; }, fallback, {}, "a URL", nullptr, parses \
    }
#define CHOICE(member, fallback, ...)                                                            \
    setting::text {                                                                              \
        [](config& c) -> std::string& { return c.member; }, fallback, {__VA_ARGS__}, {}, nullptr \
    }
#define FLAG(member, fallback)                                \
    setting::flag {                                           \
        [](config& c) -> bool& { return c.member; }, fallback \
    }

}  // namespace

std::span<const setting> settings() {
    static const setting all[] = {
        {"http.address", "numeric address to listen on",
         TEXT(http.address, "127.0.0.1",
              "a numeric IP address (127.0.0.1 for this machine alone, 0.0.0.0 or :: for all)",
              http::is_address)},
        {"http.port", "0 takes any free port; the first line of standard output says which",
         INTEGER(http.port, 0, 65'535, 8'080)},
        {"http.workers", "threads that serve HTTP; 0: one less than there are cores, at least one",
         INTEGER(http.workers, 0, 256, 0)},
        {"http.connections_max", "further connections are answered 503 and closed",
         INTEGER(http.connections_max, 1, million, 20'000)},
        {"http.header_bytes_max", "start line and headers of a request; more is 431",
         INTEGER(http.header_bytes_max, 512, megabyte, 8'192)},
        {"http.body_bytes_max", "body of a request; more is 413",
         INTEGER(http.body_bytes_max, 256, 16 * megabyte, 16'384)},
        {"http.uri_bytes_max", "path and query of a request; more is 414",
         INTEGER(http.uri_bytes_max, 64, 65'536, 2'048)},
        {"http.pipelined_requests_max",
         "unanswered requests of one connection, then it is not read",
         INTEGER(http.pipelined_requests_max, 1, 1'024, 64)},
        {"http.requests_per_connection_max", "then the connection is closed",
         INTEGER(http.requests_per_connection_max, 1, std::numeric_limits<std::int64_t>::max(),
                 million)},
        {"http.request_timeout_ms", "from a request's first byte to its last",
         INTEGER(http.request_timeout_ms, 10, hour_ms, 10'000)},
        {"http.idle_timeout_ms",
         "a connection without a request; longer than the balancer keeps its own idle, or it "
         "sends a request into a connection that is being closed",
         INTEGER(http.idle_timeout_ms, 10, 24 * hour_ms, 75'000)},
        {"http.write_timeout_ms", "a client that does not read its answer",
         INTEGER(http.write_timeout_ms, 10, hour_ms, 10'000)},
        {"http.hosts",
         "the hosts that may be asked for, separated by commas, each for one port (`host:port`) or "
         "for any (`host`); another is 400; empty: any",
         TEXT(http.hosts, "", "host or host:port, several separated by commas, or nothing",
              are_hosts)},
        {"http.streams_max",
         "answers on their way that are made while they are sent, of all workers, then 503",
         INTEGER(http.streams_max, 1, million, 256)},
        {"http.cors_origins",
         "whose pages may ask by a browser: origins, separated by commas, or `*` for any; never "
         "with "
         "credentials; empty: no page",
         TEXT(http.cors_origins, "",
              "origins as browsers write them, https://shop.example or http://localhost:3000, "
              "several separated by commas, or * alone, or nothing",
              are_origins)},
        {"http.catalogue_max_age_s",
         "how long caches may show products as they were; 0: not at all",
         INTEGER(http.catalogue_max_age_s, 0, 3'600, 0)},

        {"users.cached_users_max",
         "room for known users in each worker; a page of 1,024 neighbours takes the room of 4",
         INTEGER(users.cached_users_max, 2, 1'000 * million, million)},
        {"users.waiting_lookups_max",
         "orders of a worker waiting to learn whether their user exists, then 503",
         INTEGER(users.waiting_lookups_max, 1, million, 16'384)},

        {"stock.gate",
         "what decides who gets a unit; `memory`: embedded, the log and the databases are files of "
         "sqlite.folder; `database`: optimistic locking in PostgreSQL, for comparison; one for a "
         "deployment",
         CHOICE(stock.gate, "redis", "redis", "database", "memory")},
        {"stock.currency",
         "ISO 4217, of every amount that has none of its own; the same for all processes",
         TEXT(stock.currency, "EUR", "an ISO 4217 code in use, such as EUR", is_currency)},
        {"stock.gate_batch_reservations_max", "reservations in one script call",
         INTEGER(stock.gate_batch_reservations_max, 1, 1'000, 256)},
        {"stock.gate_batches_in_flight_max",
         "script calls of a worker at one Redis server at a time",
         INTEGER(stock.gate_batches_in_flight_max, 1, 16, 2)},
        {"stock.beside_another_reservations_min",
         "reservations that are worth a script call beside one that is under way",
         INTEGER(stock.beside_another_reservations_min, 1, 1'000, 32)},
        {"stock.gather_max_us",
         "a reservation that is not alone waits for others to share its script call; 0: it does "
         "not",
         INTEGER(stock.gather_max_us, 0, 10'000, 150)},
        {"stock.gathered_reservations_enough",
         "reservations with which a script call does not wait",
         INTEGER(stock.gathered_reservations_enough, 1, 1'000, 64)},
        {"stock.message_events_enough",
         "granted events that go to the log without waiting for the batches at the gate",
         INTEGER(stock.message_events_enough, 1, 10'000, 64)},
        {"stock.message_batches_max",
         "batches that come back from the gate before what they granted goes to the log",
         INTEGER(stock.message_batches_max, 1, 64, 4)},
        {"stock.gate_tries_max", "tries of the database gate before 409 high_traffic",
         INTEGER(stock.gate_tries_max, 1, 100, 3)},
        {"stock.waiting_reservations_max",
         "reservations of a worker waiting for the gate, then 503",
         INTEGER(stock.waiting_reservations_max, 1, million, 16'384)},
        {"stock.outbox_events_max",
         "accepted and not yet recorded, for each Redis server, then 503: the limit on the backlog",
         INTEGER(stock.outbox_events_max, 1, 100 * million, million)},

        {"orders.confirm_deadline_ms",
         "from asking the gate to the log's confirm, then 503 outcome_unknown; one for a "
         "deployment",
         INTEGER(orders.confirm_deadline_ms, 50, 60'000, 2'000)},
        {"orders.payment_grace_s",
         "by which the end of a hold is put off, once, when a payment from outside is announced",
         INTEGER(orders.payment_grace_s, 0, 3'600, 60)},

        {"recorder.enabled", "whether this process takes a turn at writing to the databases",
         FLAG(recorder.enabled, true)},
        {"recorder.messages_per_batch_max", "messages written in one transaction",
         INTEGER(recorder.messages_per_batch_max, 1, 1'000, 64)},
        {"recorder.batch_interval_ms", "between transactions of batches that are not full",
         INTEGER(recorder.batch_interval_ms, 0, 1'000, 25)},
        {"recorder.pacing_percent",
         "on servers, while orders keep coming to this process: the pause after a batch, of the "
         "time that the batch took; orders are accepted faster, and the record lags",
         INTEGER(recorder.pacing_percent, 0, 10'000, 800)},
        {"recorder.pacing_max_ms", "longest such pause",
         INTEGER(recorder.pacing_max_ms, 0, 10'000, 1'000)},
        {"recorder.pacing_lag_max_ms",
         "age of the oldest order to be recorded from which there is no pause; so about the most "
         "that the record lags",
         INTEGER(recorder.pacing_lag_max_ms, 0, 30'000, 3'000)},
        {"recorder.step_aside_after_ms",
         "unable to record for so long, or that long for one batch: another process has its turn",
         INTEGER(recorder.step_aside_after_ms, 100, 600'000, 5'000)},

        {"recovery.reconcile_interval_ms",
         "between two looks at what dead processes may have left in the outbox",
         INTEGER(recovery.reconcile_interval_ms, 10, hour_ms, 1'000)},
        {"recovery.reconcile_events_max", "outbox entries noted in one look, in whole pages",
         INTEGER(recovery.reconcile_events_max, 1, 10 * million, 10'000)},
        {"recovery.barrier_patience_ms",
         "for the recorder to come to a barrier, and so record all that was published before; then "
         "unready",
         INTEGER(recovery.barrier_patience_ms, 100, 24 * hour_ms, 60'000)},
        {"recovery.lease_ms",
         "how long one that is stopped or cut off keeps others from its shards",
         INTEGER(recovery.lease_ms, 100, hour_ms, 5'000)},
        {"recovery.rebuild_automatically",
         "whether a gate that lost its data is rebuilt without being asked for",
         FLAG(recovery.rebuild_automatically, true)},
        {"recovery.load_rows_max", "orders read and loaded in one piece by a rebuild",
         INTEGER(recovery.load_rows_max, 1, 3'000, 2'000)},

        {"redis.url",
         "one server, or several separated by commas, each a shard that keeps a part of the "
         "products; their number is fixed for a deployment",
         SECRET(redis.url, "redis://127.0.0.1:6379/0", parses_as_redis_urls)},
        {"redis.key_prefix", "first part of every Redis key",
         TEXT(redis.key_prefix, "flashsale", "1 to 64 of a-z A-Z 0-9 _ - .", is_name)},
        {"redis.connect_timeout_ms", "for one attempt",
         INTEGER(redis.connect_timeout_ms, 10, 60'000, 2'000)},
        {"redis.reply_timeout_ms", "then the outcome of a command is unknown",
         INTEGER(redis.reply_timeout_ms, 10, 60'000, 2'000)},
        {"redis.pending_commands_max", "sent and unanswered on one connection, then 503",
         INTEGER(redis.pending_commands_max, 1, million, 4'096)},

        {"amqp.url", "the broker",
         SECRET(amqp.url, "amqp://guest:guest@127.0.0.1:5672/%2f", parses_as_amqp_url)},
        {"amqp.namespace", "first part of the exchange's and the queues' names; not `amq.`",
         TEXT(amqp.name_space, "flashsale",
              "1 to 64 of a-z A-Z 0-9 _ - . that do not begin with amq.", is_namespace)},
        {"amqp.connect_timeout_ms", "for one attempt",
         INTEGER(amqp.connect_timeout_ms, 10, 60'000, 3'000)},
        {"amqp.heartbeat_ms", "a connection ends after two of these without a sign of life",
         INTEGER(amqp.heartbeat_ms, 1'000, 600'000, 10'000)},
        {"amqp.stall_timeout_ms", "a call into the client library that takes longer is cut off",
         INTEGER(amqp.stall_timeout_ms, 100, 60'000, 5'000)},
        {"amqp.confirm_timeout_ms", "oldest unconfirmed message, then the connection is rebuilt",
         INTEGER(amqp.confirm_timeout_ms, 100, 60'000, 5'000)},
        {"amqp.publish_window_messages_max", "messages sent and unconfirmed",
         INTEGER(amqp.publish_window_messages_max, 1, 4'096, 64)},
        {"amqp.events_per_message_max", "events in one message",
         INTEGER(amqp.events_per_message_max, 1, 10'000, 256)},
        {"amqp.message_bytes_max", "body of one message",
         INTEGER(amqp.message_bytes_max, 1'024, 16 * megabyte, 65'536)},
        {"amqp.waiting_events_max", "events of a worker waiting to be sent",
         INTEGER(amqp.waiting_events_max, 1, 10 * million, 65'536)},
        {"amqp.prefetch_messages",
         "delivered and unacknowledged; the same for all processes of a deployment, or events lose "
         "their order",
         INTEGER(amqp.prefetch_messages, 1, 2'000, 128)},

        {"postgres.user_url", "the user module's database",
         SECRET(postgres.user_url, "postgresql://flashsale:flashsale@127.0.0.1:5432/flashsale_user",
                postgres::check_url)},
        {"postgres.stock_url", "the stock module's database",
         SECRET(postgres.stock_url,
                "postgresql://flashsale:flashsale@127.0.0.1:5432/flashsale_stock",
                postgres::check_url)},
        {"postgres.order_url", "the order module's database",
         SECRET(postgres.order_url,
                "postgresql://flashsale:flashsale@127.0.0.1:5432/flashsale_order",
                postgres::check_url)},
        {"postgres.connect_timeout_ms", "for one attempt",
         INTEGER(postgres.connect_timeout_ms, 10, 60'000, 5'000)},
        {"postgres.statement_timeout_ms",
         "PostgreSQL ends a statement then; the process gives it up a second later",
         INTEGER(postgres.statement_timeout_ms, 10, 600'000, 5'000)},
        {"postgres.lock_timeout_ms", "waiting for a row or a table",
         INTEGER(postgres.lock_timeout_ms, 10, 600'000, 2'000)},
        {"postgres.connections_per_worker", "to each database, from each HTTP worker",
         INTEGER(postgres.connections_per_worker, 1, 64, 2)},
        {"postgres.pipelined_statements_max", "under way on one connection",
         INTEGER(postgres.pipelined_statements_max, 1, 1'024, 64)},
        {"postgres.waiting_statements_max", "of a worker, for each database, then 503",
         INTEGER(postgres.waiting_statements_max, 1, million, 4'096)},

        {"sqlite.folder",
         "folder of the memory gate's log and databases, for one process; made where it is missing",
         TEXT(sqlite.folder, "flashsale-data", "a path", nullptr)},
        {"sqlite.busy_timeout_ms", "waiting for another connection's transaction",
         INTEGER(sqlite.busy_timeout_ms, 10, 600'000, 5'000)},
        {"sqlite.cache_kilobytes", "page cache of each connection",
         INTEGER(sqlite.cache_kilobytes, 64, 16 * million, 16'384)},
        {"sqlite.waiting_jobs_max", "statements waiting for a database, then 503",
         INTEGER(sqlite.waiting_jobs_max, 1, million, 4'096)},

        {"log.level", "what is written to standard error",
         CHOICE(log.level, "info", "debug", "info", "warn", "error")},

        {"process.start_timeout_ms", "for all servers to answer when `serve` begins",
         INTEGER(process.start_timeout_ms, 100, hour_ms, 10'000)},
        {"process.drain_delay_ms",
         "on SIGTERM, from /readyz 503 to the end of listening: for balancers to look",
         INTEGER(process.drain_delay_ms, 0, hour_ms, 0)},
        {"process.drain_timeout_ms", "for requests, confirms and the recorder to finish on SIGTERM",
         INTEGER(process.drain_timeout_ms, 100, hour_ms, 10'000)},
    };
    return all;
}

#undef INTEGER
#undef TEXT
#undef SECRET
#undef CHOICE
#undef FLAG

std::string environment_name_of(std::string_view path) {
    std::string name = "FLASHSALE_";
    for (const char c : path) {
        if (c == '.') {
            name += "__";
        } else {
            name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    return name;
}

bool setting::reloads() const {
    constexpr std::string_view all[] = {
        "http.connections_max",
        "http.header_bytes_max",
        "http.body_bytes_max",
        "http.uri_bytes_max",
        "http.pipelined_requests_max",
        "http.requests_per_connection_max",
        "http.request_timeout_ms",
        "http.idle_timeout_ms",
        "http.write_timeout_ms",
        "http.streams_max",
        "log.level",
        "process.drain_delay_ms",
        "process.drain_timeout_ms",
    };
    return std::ranges::find(all, path) != std::end(all);
}

std::vector<std::string> config::redis_urls() const {
    return split_at_commas(redis.url);
}

std::vector<std::string> config::cors_origins() const {
    return http.cors_origins.empty() ? std::vector<std::string>{}
                                     : split_at_commas(http.cors_origins);
}

std::vector<std::string> config::hosts() const {
    return http.hosts.empty() ? std::vector<std::string>{} : split_at_commas(http.hosts);
}

}  // namespace flashsale::app
