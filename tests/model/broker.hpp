#pragma once

// A direct exchange, one quorum queue with a single active consumer, and the connections to them. A
// message stays where it is in the queue until it is acknowledged; a consumer that goes away gives
// back what it held in its old order.
//
// Routing and queueing are two steps, as in the real one: a message that a binding has let in is
// queued a little later, and in between the binding may go. The first message of a connection takes
// longer, and so does every one while the queue's leader is suspended.

#include <flashsale/amqp.hpp>

#include <deque>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "world.hpp"

namespace flashsale::model {

/// One end of a connection at the process.
class broker_client {
public:
    virtual ~broker_client() = default;
    virtual void confirmed(std::uint64_t /*number*/, bool /*multiple*/, bool /*nacked*/) {}
    virtual void returned(std::uint64_t /*number*/) {}
    virtual void delivered(std::uint64_t /*number*/, bool /*again*/, const std::string& /*body*/) {}
    virtual void cut() = 0;
    virtual void blocked(bool /*now*/) {}
};

struct broker_connection {
    int process = 0;
    std::uint64_t life = 0;
    std::uint64_t client = 0;  ///< key of the process's end
    bool consumes = false;
    bool cut = false;        ///< as the broker sees it
    bool abandoned = false;  ///< as the process sees it: what still comes is not for it
    int still_arriving = 0;
    micros last_arrival = 0;
    micros last_delivery = 0;
    micros last_queued = 0;
    std::uint64_t published = 0;
    std::uint64_t confirmed_up_to = 0;
    std::uint64_t delivered = 0;
    std::size_t unacknowledged = 0;
};

class broker {
public:
    using handle = std::shared_ptr<broker_connection>;

    broker(world& in, std::uint16_t prefetch) : in_(in), prefetch_(prefetch) {}

    /// Declares the topology as a connecting client does, which binds nothing. Empty: no broker
    /// answers.
    handle connect(int process, std::uint64_t life, std::uint64_t client, bool consumes);
    void publish(const handle& from, std::string key, std::string body);
    void acknowledge_up_to(const handle& from, std::uint64_t number);
    /// The process's end closed, or its process died.
    void gone(const handle& from);

    bool blocked() const { return blocked_; }
    std::expected<bool, std::string> is_consumed() const {
        if (!up_) return std::unexpected("nobody answers");
        return !consumers_.empty();
    }
    /// On a connection of its own. False: nothing answers.
    bool declare() {
        declared_ = declared_ || up_;
        return up_;
    }
    /// As `declare()`, and then the queue takes what has one of these keys, or no longer.
    bool bind(std::span<const std::string> keys);
    bool unbind(std::span<const std::string> keys);
    bool is_bound(const std::string& key) const { return declared_ && bound_.contains(key); }

    // --- faults ---
    void cut_connections(bool publishers, bool consumers);
    /// One process has not been heard of for too long.
    void miss(int process);
    void stop();
    void start(bool with_data);
    void delete_queue();
    void purge();  ///< what no consumer has in hand
    void block(bool now);
    /// What this process publishes takes long to arrive.
    void slow_down(int process, micros time);
    /// Confirms wait for as long.
    void stall_confirms(micros time) { stalled_until_ = in_.now() + time; }
    /// The queue's leader is: what is routed meanwhile is queued, and confirmed, when it goes on.
    void suspend_leader(micros time) { leader_from_ = in_.now() + time; }

    // --- for the checks ---
    bool empty() const { return queue_.empty() && routed_ == 0; }
    bool has(const std::string& id) const;

private:
    struct message {
        std::string body;
        std::vector<std::string> ids;
        handle at;  ///< the consumer that holds it
        std::uint64_t number = 0;
        bool again = false;
    };

    void accept(const handle& from, const std::string& key, std::string body);
    micros until_queued(const handle& from, std::uint64_t number);
    void queue(const handle& from, std::uint64_t number, std::string body);
    void confirm(const handle& from, std::uint64_t number);
    void deliver();
    void cut(const handle& one, bool broker_died);
    void lose_messages();
    void notify(const handle& to, micros delay, std::move_only_function<void(broker_client&)> what);

    world& in_;
    const std::uint16_t prefetch_;
    bool up_ = true;
    bool declared_ = true;
    bool blocked_ = false;
    micros stalled_until_ = 0;
    micros leader_from_ = 0;
    std::size_t routed_ = 0;  ///< and not queued yet
    std::uint64_t queues_ =
        1;  ///< counts those that were declared: what was routed to an earlier one is gone with it
    std::set<std::string, std::less<>> bound_;
    int slow_process_ = -1;
    micros slow_until_ = 0;
    std::deque<message> queue_;
    std::vector<handle> connections_;
    std::vector<handle> consumers_;  ///< the first is active
};

/// The process's end of a connection, found by its key when something comes; null if it is gone.
broker_client* find_broker_client(process& of, std::uint64_t client);

}  // namespace flashsale::model
