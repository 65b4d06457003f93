#pragma once

// HTTP for JSON APIs: a router per worker thread, sessions with keep-alive and pipelining, limits
// on everything, and RFC 9457 problems for every error, the parser's own included.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/json_fields.hpp"
#include "flashsale/http/body_source.hpp"
#include "flashsale/http/headers.hpp"
#include "flashsale/http/problems.hpp"

namespace flashsale::http {

/// HEAD is a `get` whose answer travels without its body. `options` is answered by the router, and
/// `other` never reaches a handler either.
enum class method { get, post, patch, erase, options, other };

/// `GET`; `DELETE` for erase.
std::string_view name_of(method verb);

/// What a request is called in its answer and in every log line about it: the client's
/// X-Request-Id, or a number made here. Made ones are written out only where they are needed.
struct request_name {
    std::string_view taken = {};   ///< 1 to 64 visible ASCII characters; empty: none came
    std::string_view prefix = {};  ///< of made ones, the worker's own
    std::uint64_t number = 0;

    std::string to_string() const;
};

/// The caller. There is no way yet to tell one from another.
struct principal {
    enum class kind : std::uint8_t { anonymous };
    kind what = kind::anonymous;
};

/// One request, already checked against the limits. Its views are valid until the handler returns:
/// a handler that answers later copies what it needs first (a coroutine, before its first
/// co_await).
struct request {
    method verb = method::get;
    std::string_view path = {};   ///< without the query, not percent-decoded
    std::string_view query = {};  ///< after '?', not decoded
    std::string_view body = {};
    std::string_view idempotency_key =
        {};  ///< empty if the client sent none; else 1 to 255 visible ASCII
    std::string_view parameter = {};  ///< what stood in the route's {…} segment
    /// Of the media types that the route offers the one to answer with, a literal; empty: it offers
    /// none.
    std::string_view media_type = {};
    http::headers headers = {};  ///< the others that a handler may ask for
    request_name name = {};
    asio::ip::address client = {};  ///< the connection's other end
    principal who = {};
    bool preflight = false;  ///< a browser asks for a page of an origin that is let in
};

/// Copies share a stream, of which one alone is to be answered.
struct response {
    unsigned status = 200;
    std::string body = {};               ///< JSON (a problem's if status >= 400); may be empty
    std::string_view literal_body = {};  ///< in place of `body` if that is empty; outlives it
    bool is_problem = false;  ///< the body lacks its last member, request_id, which is known later
    std::string location = {};            ///< Location header, if not empty
    std::string idempotency_key = {};     ///< Idempotency-Key header, if not empty
    bool replayed = false;                ///< Idempotent-Replayed: true
    unsigned retry_after_s = 0;           ///< Retry-After header, if not 0
    std::string_view content_type = {};   ///< default: application/json or problem+json
    std::string_view allow = {};          ///< Allow header, if not empty; a literal
    std::string_view cache_control = {};  ///< default: no-store; as long-lived as a literal
    std::uint64_t etag = 0;               ///< ETag header, if not 0
    std::int64_t revision = 0;            ///< stands in ETag, and makes one, if not 0: if_match.hpp
    bool varies_by_accept = false;        ///< Vary: Accept
    /// Further header lines, each with its end; of a literal, or kept by `stream`.
    std::string_view header_lines = {};
    std::shared_ptr<body_source> stream = {};  ///< the body, in place of both others
};

/// The problem document but for its request_id, which the renderer adds; Retry-After on every 503.
/// It is valid UTF-8 whatever `detail` and `field` are, and shows no more than 64 bytes of `field`.
response problem(const problem_type& type, std::string_view detail = {},
                 std::string_view field = {});
response problem(const field_fault& fault);  ///< bad_request naming the field
/// With members of its own: JSON, a comma before each.
response problem_with(const problem_type& type, std::string_view members);
/// The same answer again, its body as a literal: `made` must outlive it.
response repeat_of(const response& made);

/// Parses a request body as one JSON value with depth and duplicate-key limits, in a plain
/// function. On failure the problem to answer. The value lives in `memory`, or on the heap.
std::expected<boost::json::value, response> parse_body(std::string_view body,
                                                       const boost::json::storage_ptr& memory = {});

class session;

/// The right to answer one request, once. Dropped unanswered, it answers 500 `internal`. Belongs to
/// the worker's thread; may outlive the connection, then the answer goes nowhere.
class exchange {
public:
    exchange(std::shared_ptr<session> owner, std::uint64_t slot) noexcept;
    exchange(exchange&& other) noexcept = default;
    exchange& operator=(exchange&& other) noexcept;
    ~exchange() {
        if (owner_) drop();
    }

    void answer(response value);

    /// For log lines; empty if no client waits for the answer any more.
    std::string request_name() const;

private:
    void drop();

    std::shared_ptr<session> owner_;
    std::uint64_t slot_ = 0;
};

using handler = std::function<void(const request&, exchange)>;

/// A handler that is a coroutine: `function` is called with the request, whose views it must copy
/// before its first suspension, and the coroutine runs on `io`. An exception in it is logged and
/// answers 500.
struct coroutine {
    asio::io_context& io;
    std::function<awaitable<response>(const request&)> function;
};

/// The callers that a route is for. There is no default: each route says it.
class callers {
public:
    static constexpr callers anybody() { return {}; }
    std::string_view name() const { return "anybody"; }

private:
    constexpr callers() = default;
};

/// Which caches may keep a 200. Everything else is `no-store`.
enum class caching {
    nobody,
    its_person,  ///< the person's own cache, which asks again each time: If-None-Match, 304
    everybody,   ///< shared caches too, for as long as the router was told; then as above
};

/// Beside the server's own, which no route can widen.
struct route_limits {
    std::size_t body_bytes_max = std::numeric_limits<std::size_t>::max();
};

/// All that there is to say of a route. Texts are literals.
struct route {
    method verb;
    std::string_view pattern;  ///< an exact path with at most one `{…}` segment
    callers who_may;
    std::variant<handler, coroutine> handle;
    /// The query parameters that it knows. Any other, and any given twice, is 400.
    std::vector<std::string_view> query = {};
    caching kept_by = caching::nobody;  ///< of a coroutine's answers
    /// Media types to choose from by Accept, the usual one first, which is also for clients that
    /// want none of them. Empty: the handler's own.
    std::vector<std::string_view> offers = {};
    route_limits limits = {};
};

/// Filled at start-up, then read by one worker thread.
class router {
public:
    /// How long caches may show a catalogue as it was; 0: not at all.
    explicit router(std::chrono::seconds catalogue_max_age = {});
    ~router();

    void add(route made);

    /// In the order of their addition, which is that of looking.
    std::vector<const route*> all() const;

    /// What the routes of a module may answer, and no other module declares; static. Throws
    /// std::logic_error if a code is there already.
    void declare(problem_list types);
    /// All that can be answered, the protocol's first.
    problem_list problems() const { return problems_; }

    /// Finds the handler and calls it; answers OPTIONS, 404, 405, 413, and 400 for the query.
    void dispatch(request& incoming, exchange reply) const;

private:
    struct entry;
    void answer_unmatched(const request& incoming, unsigned methods, exchange reply) const;

    std::vector<entry> routes_;
    std::vector<const problem_type*> problems_;
    std::string catalogue_cache_control_;  ///< empty: no-store
};

/// `host` or `host:port` as RFC 9112, section 3.2, has it in Host; may be empty.
bool is_host(std::string_view text);

struct limits {
    std::size_t connections_max = 20'000;
    std::size_t header_bytes_max = 8'192;
    std::size_t body_bytes_max = 16'384;
    std::size_t uri_bytes_max = 2'048;
    std::size_t pipelined_requests_max = 64;  ///< parsed and unanswered, per connection
    std::uint64_t requests_per_connection_max = 1'000'000;
    std::chrono::milliseconds request_timeout{10'000};  ///< first byte to complete request
    std::chrono::milliseconds idle_timeout{75'000};     ///< between requests
    std::chrono::milliseconds write_timeout{10'000};    ///< a client that does not read
    std::size_t streams_max = 256;                      ///< under way, of all workers
    /// What may be asked here, `host` (on any port) or `host:port`; empty: anything.
    std::vector<std::string> hosts = {};
    /// Whose pages may ask: origins as they stand in Origin, or `*`. As the server was made.
    std::vector<std::string> cors_origins = {};
};

/// An origin as browsers write it, `https://shop.example` or with a port that is not the scheme's.
bool is_origin(std::string_view text);

/// One worker: its io_context runs on one thread, and its router's handlers live on that thread.
struct worker {
    asio::io_context& io;
    const router& routes;
};

/// Whether a server can be told to listen there: a numeric address of either family.
bool is_address(std::string_view text);

/// Accepts on the first worker's thread and hands connections to the workers in turn.
class server {
public:
    /// `address` numeric. Throws boost::system::system_error if it cannot listen.
    server(std::string_view address, std::uint16_t port, const limits& bounds,
           const std::vector<worker>& workers);
    ~server();

    std::uint16_t port() const;  ///< the bound port, useful when 0 was asked for

    /// Other limits from now on, for connections that are there too. Any thread.
    void set_limits(const limits& bounds);

    /// Starts accepting. Call before the workers' threads run, or from any thread.
    void start();

    /// Stops accepting, closes idle connections, lets requests in flight finish (their answers say
    /// `Connection: close`). Any thread. `drained()` turns true when no connection is left.
    void stop();
    bool drained() const;

    /// Closes what is left. Any thread, before the io_contexts stop.
    void abort();

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace flashsale::http
