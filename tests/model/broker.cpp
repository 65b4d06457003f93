#include "broker.hpp"

#include <algorithm>
#include <stdexcept>

#include "message_codec.hpp"
#include "process.hpp"
#include "promises.hpp"

namespace flashsale::model {

namespace {

/// By the codec of the recorder: what it can read is known to the checks, in whatever form it
/// travels.
std::vector<std::string> ids_in(std::string_view body) {
    const auto entries = events::decode_message(body);
    if (!entries) throw std::logic_error("a message that is no array of events");
    std::vector<std::string> out;
    for (const auto& one : *entries) {
        if (one) out.push_back(events::base_of(*one).id.to_string());
    }
    return out;
}

}  // namespace

broker::handle broker::connect(int number, std::uint64_t life, std::uint64_t client,
                               bool consumes) {
    if (!up_) return nullptr;
    auto made = std::make_shared<broker_connection>();
    made->process = number;
    made->life = life;
    made->client = client;
    made->consumes = consumes;
    declared_ = true;
    connections_.push_back(made);
    if (consumes) {
        consumers_.push_back(made);
        deliver();
    }
    return made;
}

void broker::notify(const handle& to, micros delay,
                    std::move_only_function<void(broker_client&)> what) {
    // Runs in the process's own time: late if it sleeps, never if it died.
    in_.after(delay, [this, to, what = std::move(what)]() mutable {
        process& of = *in_.processes[static_cast<std::size_t>(to->process)];
        if (of.life() != to->life || !of.alive()) return;
        of.after(0, [&of, to, what = std::move(what)]() mutable {
            if (to->abandoned) return;
            if (broker_client* client = find_broker_client(of, to->client)) what(*client);
        });
    });
}

void broker::publish(const handle& from, std::string key, std::string body) {
    ++from->published;
    micros way = in_.transit();
    if (from->process == slow_process_ && in_.now() < slow_until_)
        way += in_.random.between(50 * ms, 480 * ms);
    from->last_arrival = std::max(from->last_arrival, in_.now() + way);
    in_.after(from->last_arrival - in_.now(),
              [this, from, key = std::move(key), body = std::move(body)]() mutable {
                  accept(from, key, std::move(body));
              });
}

bool broker::bind(std::span<const std::string> keys) {
    if (!declare()) return false;
    for (const std::string& key : keys) {
        in_.tell("broker", "takes what comes under {}", short_id(key));
        bound_.insert(key);
    }
    return true;
}

bool broker::unbind(std::span<const std::string> keys) {
    if (!declare()) return false;
    for (const std::string& key : keys) {
        if (bound_.erase(key) > 0)
            in_.tell("broker", "takes nothing any more under {}", short_id(key));
    }
    return true;
}

void broker::accept(const handle& from, const std::string& key, std::string body) {
    if (from->cut && from->still_arriving-- <= 0) return;
    if (!up_) return;
    const std::uint64_t number = ++from->confirmed_up_to;
    if (!is_bound(key)) {
        if (!in_.is_without(guard::mandatory)) {
            if (!from->cut)
                notify(from, 0, [number](broker_client& client) { client.returned(number); });
        }
        in_.tell("broker", "no queue takes message {} of p{}, under {}", number, from->process,
                 short_id(key));
        return confirm(from, number);
    }
    const micros way = until_queued(from, number);
    if (way == 0) return queue(from, number, std::move(body));
    in_.tell("broker", "routes message {} of p{}", number, from->process);
    ++routed_;
    in_.after(way, [this, from, number, of = queues_, body = std::move(body)]() mutable {
        --routed_;
        if (up_ && of == queues_) queue(from, number, std::move(body));
    });
}

/// Between the two steps. Messages of one connection keep their order.
micros broker::until_queued(const handle& from, std::uint64_t number) {
    micros when = std::max(leader_from_, in_.now());
    // A channel's first message registers with the leader, and is queued when that has answered.
    if (number == 1 && in_.random.chance(50)) {
        const bool long_way = leader_from_ > in_.now() || in_.random.chance(20);
        when += in_.random.between(0, long_way ? 100 * ms : 3 * ms);
    }
    from->last_queued = std::max(from->last_queued, when);
    return from->last_queued - in_.now();
}

void broker::queue(const handle& from, std::uint64_t number, std::string body) {
    message made{std::move(body), {}, nullptr, 0, false};
    made.ids = ids_in(made.body);
    if (in_.telling()) {
        std::string all;
        for (const auto& id : made.ids)
            all.append(" ").append(short_id(id));
        in_.tell("broker", "queues message {} of p{}:{}{}", number, from->process, all,
                 made.body.find("barrier") != std::string::npos ? " barrier" : "");
    }
    queue_.push_back(std::move(made));
    deliver();
    confirm(from, number);
}

void broker::confirm(const handle& from, std::uint64_t number) {
    if (from->cut) return;
    micros delay = in_.transit();
    if (in_.now() < stalled_until_) delay += stalled_until_ - in_.now();
    notify(from, delay,
           [number](broker_client& client) { client.confirmed(number, false, false); });
}

void broker::deliver() {
    if (consumers_.empty()) return;
    const handle to = consumers_.front();
    for (message& one : queue_) {
        if (to->unacknowledged >= prefetch_) return;
        if (one.at) continue;
        one.at = to;
        one.number = ++to->delivered;
        ++to->unacknowledged;
        to->last_delivery = std::max(to->last_delivery, in_.now() + in_.transit());
        notify(to, to->last_delivery - in_.now(),
               [number = one.number, again = one.again, body = one.body](broker_client& client) {
                   client.delivered(number, again, body);
               });
        one.again = true;
    }
}

void broker::acknowledge_up_to(const handle& from, std::uint64_t number) {
    from->last_arrival = std::max(from->last_arrival, in_.now() + in_.transit());
    in_.after(from->last_arrival - in_.now(), [this, from, number] {
        // An acknowledgement that the broker had not read when it saw the connection's end is lost.
        if (from->cut || !up_) return;
        while (!queue_.empty() && queue_.front().at == from && queue_.front().number <= number) {
            --from->unacknowledged;
            queue_.pop_front();
        }
        deliver();
    });
}

void broker::gone(const handle& from) {
    if (!from) return;
    from->abandoned = true;
    if (!from->cut) cut(from, false);
}

void broker::cut(const handle& one, bool broker_died) {
    one->cut = true;
    one->still_arriving = broker_died ? 0 : static_cast<int>(in_.random.between(0, 2));
    std::erase(connections_, one);
    if (one->consumes) {
        std::erase(consumers_, one);
        for (message& each : queue_) {
            if (each.at == one) each.at = nullptr;
        }
    }
    notify(one, in_.transit(), [one](broker_client& client) {
        one->abandoned = true;
        client.cut();
    });
    if (one->consumes && !broker_died) deliver();
}

void broker::cut_connections(bool publishers, bool consumers) {
    in_.tell("network", "cuts the broker's{}{} connections", publishers ? " publishing" : "",
             consumers ? " consuming" : "");
    const auto all = connections_;
    for (const handle& one : all) {
        if (one->consumes ? consumers : publishers) cut(one, false);
    }
}

void broker::miss(int process_number) {
    const auto all = connections_;
    for (const handle& one : all) {
        if (one->process == process_number) cut(one, false);
    }
}

void broker::stop() {
    in_.tell("broker", "is down");
    const auto all = connections_;
    for (const handle& one : all)
        cut(one, true);
    up_ = false;
    blocked_ = false;
}

void broker::lose_messages() {
    ++queues_;
    bound_.clear();
    std::deque<message> lost;
    lost.swap(queue_);
    for (const message& one : lost) {
        for (const std::string& id : one.ids)
            in_.promised->lost_by_broker(id);
    }
}

void broker::start(bool with_data) {
    if (up_) return;
    in_.tell("broker", "{}", with_data ? "is back" : "is back, without any data");
    up_ = true;
    if (with_data) return;
    lose_messages();
    declared_ = false;
}

void broker::delete_queue() {
    in_.tell("broker", "its queue is deleted");
    declared_ = false;
    lose_messages();
    const auto all = consumers_;
    for (const handle& one : all)
        cut(one, false);  // the consumer is cancelled, and drops its connection
}

void broker::purge() {
    in_.tell("broker", "its queue is purged");
    std::vector<std::string> lost;
    for (const message& one : queue_) {
        if (!one.at) lost.insert(lost.end(), one.ids.begin(), one.ids.end());
    }
    std::erase_if(queue_, [](const message& one) { return one.at == nullptr; });
    for (const std::string& id : lost)
        in_.promised->lost_by_broker(id);
}

void broker::slow_down(int process_number, micros time) {
    in_.tell("network", "is slow between p{} and the broker for {} ms", process_number, time / ms);
    slow_process_ = process_number;
    slow_until_ = in_.now() + time;
}

void broker::block(bool now) {
    in_.tell("broker", "{}", now ? "raises an alarm" : "clears its alarm");
    blocked_ = now;
    for (const handle& one : connections_) {
        if (!one->consumes)
            notify(one, in_.transit(), [now](broker_client& client) { client.blocked(now); });
    }
}

bool broker::has(const std::string& id) const {
    return std::ranges::any_of(queue_, [&](const message& one) {
        return std::ranges::find(one.ids, id) != one.ids.end();
    });
}

}  // namespace flashsale::model
