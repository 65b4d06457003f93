#pragma once

// RabbitMQ over rabbitmq-c. The library can block, so each connection has a thread of its own:
// `publisher` runs one, `consumer` is driven by the thread that calls it. A watchdog shuts the
// socket of a publisher that stopped ticking.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flashsale::amqp {

struct options {
    std::string url;  ///< `amqp://user:password@host:port/vhost`
    std::chrono::milliseconds connect_timeout{3'000};
    std::chrono::milliseconds heartbeat{10'000};
    std::chrono::milliseconds stall_timeout{5'000};  ///< a publish that blocks longer is cut
    std::string connection_name = "flashsale";
};

/// Whether options::url can be used; else what is expected, with nothing of it repeated.
std::expected<void, std::string> check_url(std::string_view url);

/// A URL fit for logs: put together from what was understood of it, without the password.
std::string shown(std::string_view url);

/// Names and limits of what is declared; the same for every process of a deployment.
struct topology {
    std::string exchange;              ///< durable direct exchange
    std::string queue;                 ///< quorum queue, single active consumer
    std::string binding_key;           ///< bound by each declaration; empty: none is
    std::string dead_letter_exchange;  ///< durable
    std::string dead_letter_queue;     ///< quorum queue
    std::int64_t delivery_limit = 1'000'000;
    /// Whose exchange it is: declaring it for another owner is refused. Empty: not asked. It stands
    /// in the one argument that the broker compares, as the name of an alternate exchange that does
    /// not exist; so no policy can give the exchange one either, and what no queue takes comes
    /// back.
    std::string owner{};
    std::string replaced_exchange{};  ///< an earlier version's: removed. Empty: there is none
};

/// What became of a message.
enum class outcome {
    confirmed,  ///< on disk at the queue's quorum
    returned,   ///< no queue takes what has its routing key: it is not in the queue
    refused,    ///< nacked: it is not in the queue
    unknown,    ///< the connection died, or the confirm took too long
};

enum class link_state { down, blocked, up };

struct message {
    std::string routing_key;
    std::string body;
    std::uint64_t tag = 0;  ///< the caller's; handed back with the outcome
};

/// Publishes with confirms, persistent and mandatory, several messages in flight. Owns a thread.
class publisher {
public:
    struct limits {
        std::size_t window_max = 64;                       ///< messages in flight
        std::chrono::milliseconds confirm_timeout{5'000};  ///< oldest unconfirmed: rebuild
    };

    /// `next` is called on the publisher's thread whenever the window has room: it fills the
    /// message and returns true, or returns false if nothing waits. `done` is called on the same
    /// thread with the tag and what became of it, exactly once for each message taken, connection
    /// deaths included. `next` is never called while the link is down or blocked.
    publisher(options settings, topology names, limits bounds, std::function<bool(message&)> next,
              std::function<void(std::uint64_t tag, outcome what)> done);
    ~publisher();

    void start();

    /// Something waits: look at `next`. Any thread; cheap when the publisher is awake already.
    void wake();

    /// Any thread. For a second after a nack it is `blocked` too, though what waits goes out.
    link_state state() const;
    std::string fault() const;  ///< any thread; why down or blocked, for people

    /// Publishes what waits until `next` is empty and the window too, or `patience` passes; then
    /// ends the thread. What is left ends as unknown.
    void stop(std::chrono::milliseconds patience);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

struct delivery {
    std::uint64_t tag = 0;
    bool redelivered = false;
    /// By its publisher's clock, less what is left of the second; 0: it did not say.
    std::chrono::sys_seconds published_at{};
    std::string body;
};

/// Consumes one queue. Driven by one thread; only `interrupt` and `state` are for others.
class consumer {
public:
    /// `prefetch_messages` must be one constant for the whole deployment: a consumer with a smaller
    /// one that takes over after a larger one sees later messages first.
    consumer(options settings, topology names, std::uint16_t prefetch_messages);
    ~consumer();

    /// Waits up to `patience` for the first message, then returns all that has gathered, at most
    /// `messages_max`; fewer than that not before `gather_until`. Empty: nothing came. Connects and
    /// redeclares as needed; an error says why it could not (the caller waits and calls again).
    /// Tags of an earlier connection are forgotten: their messages come again.
    std::expected<std::vector<delivery>, std::string> receive(
        std::size_t messages_max, std::chrono::milliseconds patience,
        std::chrono::steady_clock::time_point gather_until = {});

    /// Acknowledges everything up to `tag`. An error only means that it will be delivered again.
    std::expected<void, std::string> acknowledge_up_to(std::uint64_t tag);

    /// Sends one message, not requeued, to the dead-letter exchange.
    std::expected<void, std::string> dead_letter(std::uint64_t tag);

    /// Sends heartbeats and nothing else; call at least each quarter of the heartbeat while holding
    /// a batch through a long wait. False: the connection is gone, what was held will come again.
    bool keep_alive();

    /// Counts connections: tags of one are void in the next.
    std::uint64_t incarnation() const;

    link_state state() const;   ///< any thread
    std::string fault() const;  ///< any thread
    /// Makes a blocked receive return early. Any thread.
    void interrupt();

    /// Closes without cancelling: what was unacknowledged goes back in its old order.
    void close();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

// --- blocking, each on a connection of its own; an error's text is for people ---

/// Whether a consumer is active at the queue; those that wait for their turn do not count.
std::expected<bool, std::string> is_consumed(const options& settings, const std::string& queue);

/// Declares the topology.
std::expected<void, std::string> declare(const options& settings, const topology& names);

/// Whether the broker lets us in: logs in, and out again.
std::expected<void, std::string> reach(const options& settings);

/// Declares the topology, and has its queue take what has one of these keys, or no longer. When it
/// returns the broker has done it, and remembers it. Publishes nothing: an alarm does not hold it
/// up.
std::expected<void, std::string> bind(const options& settings, const topology& names,
                                      std::span<const std::string> keys);
std::expected<void, std::string> unbind(const options& settings, const topology& names,
                                        std::span<const std::string> keys);

/// Publishes `body`, mandatory, under each of these keys: those under which some queue took it.
std::expected<std::vector<std::string>, std::string> find_bound(const options& settings,
                                                                const topology& names,
                                                                std::span<const std::string> keys,
                                                                const std::string& body,
                                                                std::chrono::milliseconds patience);

}  // namespace flashsale::amqp
