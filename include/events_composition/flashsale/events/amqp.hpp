#pragma once

// The log on RabbitMQ.

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "flashsale/events/log.hpp"

namespace flashsale::events {

struct amqp_options {
    std::string url;
    /// First part of every name declared; one for each deployment sharing a virtual host.
    std::string name_prefix = "flashsale";
    std::chrono::milliseconds connect_timeout{3'000};
    std::chrono::milliseconds heartbeat{10'000};
    std::chrono::milliseconds stall_timeout{5'000};
    std::chrono::milliseconds confirm_timeout{5'000};
    std::size_t publish_window_messages_max = 64;
    std::size_t events_per_message_max = 256;
    /// Fewer events wait for the confirm of what is on its way, however much room the window has.
    std::size_t events_beside_another_min = 64;
    std::size_t message_bytes_max = 65'536;
    std::size_t waiting_events_max = 65'536;  ///< per producer
    std::size_t messages_per_batch_max = 64;
    std::chrono::milliseconds batch_interval{25};  ///< between batches that are not full
    std::uint16_t prefetch_messages = 128;         ///< one value for the whole deployment
    /// Whose events they are: what another deployment has declared is refused. Empty: not asked.
    std::string deployment;
    /// Events of the token uuid{} are taken by every connection: for a gate that is never rebuilt,
    /// and so needs no fence.
    bool takes_nil_token = false;
};

/// `returned` is called when events of a token have come back because no queue takes them, before
/// any producer is told of them; on the log's own thread.
std::unique_ptr<log> make_amqp_log(const amqp_options& options,
                                   std::function<void(const uuid& token)> returned = {});
std::unique_ptr<reader> make_amqp_reader(const amqp_options& options);

/// Whether the broker lets us in. Declares nothing. Blocking.
std::expected<void, std::string> reach_amqp(const amqp_options& options);

}  // namespace flashsale::events
