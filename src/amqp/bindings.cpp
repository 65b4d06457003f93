// What is done once in a while, on a connection that is made for it.

#include <poll.h>

#include <algorithm>
#include <charconv>

#include "confirm_window.hpp"
#include "connection.hpp"
#include "table.hpp"

namespace flashsale::amqp {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto farewell_patience = 500ms;
constexpr int look_interval_ms = 10;

/// Opens a connection, declares the topology and does `what`; then says goodbye.
status on_a_connection(const options& settings, const topology& names,
                       const std::function<status(connection&)>& what) {
    watchdog dog(settings.stall_timeout);
    auto made = connection::open(settings, parse_url(settings.url), dog);
    if (!made) return std::unexpected(made.error());
    if (auto ok = (*made)->declare(names); !ok) return ok;
    if (auto ok = what(**made); !ok) return ok;
    (*made)->close(farewell_patience);
    return {};
}

/// The number in the message id of a return's header.
std::uint64_t number_of(const amqp_frame_t& header) {
    const auto& properties =
        *static_cast<amqp_basic_properties_t*>(header.payload.properties.decoded);
    const auto id = to_view(properties.message_id);
    std::uint64_t number = 0;
    std::from_chars(id.data(), id.data() + id.size(), number);
    return number;
}

/// Reads until every message of the window is settled.
status settle(connection& link, confirm_window& window, clock::time_point until,
              std::vector<confirm_window::settled>& out) {
    while (!window.empty()) {
        amqp_frame_t frame;
        const auto got = link.next_frame(frame);
        if (!got) return std::unexpected(got.error());
        if (!*got) {
            if (!link.blocked().empty())
                return std::unexpected("blocked by the broker: " + link.blocked());
            if (clock::now() >= until) return std::unexpected("no confirm in time");
            pollfd ready{link.fd(), POLLIN, 0};
            ::poll(&ready, 1, look_interval_ms);
        } else if (frame.frame_type == AMQP_FRAME_HEADER) {
            window.mark_returned(number_of(frame));
        } else if (frame.frame_type == AMQP_FRAME_METHOD &&
                   frame.payload.method.id == AMQP_BASIC_ACK_METHOD) {
            const auto& ack = *static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
            window.ack(ack.delivery_tag, ack.multiple, out);
        } else if (frame.frame_type == AMQP_FRAME_METHOD &&
                   frame.payload.method.id == AMQP_BASIC_NACK_METHOD) {
            const auto& nack = *static_cast<amqp_basic_nack_t*>(frame.payload.method.decoded);
            window.nack(nack.delivery_tag, nack.multiple, out);
        }
    }
    return {};
}

}  // namespace

std::expected<void, std::string> reach(const options& settings) {
    watchdog dog(settings.stall_timeout);
    auto made = connection::open(settings, parse_url(settings.url), dog);
    if (!made) return std::unexpected(made.error());
    (*made)->close(farewell_patience);
    return {};
}

std::expected<bool, std::string> is_consumed(const options& settings, const std::string& queue) {
    watchdog dog(settings.stall_timeout);
    auto made = connection::open(settings, parse_url(settings.url), dog);
    if (!made) return std::unexpected(made.error());
    const auto levels = (*made)->look_at(queue);
    if (!levels) return std::unexpected(levels.error());
    (*made)->close(farewell_patience);
    return levels->consumers > 0;
}

std::expected<void, std::string> declare(const options& settings, const topology& names) {
    return on_a_connection(settings, names, [](connection&) { return status{}; });
}

std::expected<void, std::string> bind(const options& settings, const topology& names,
                                      std::span<const std::string> keys) {
    return on_a_connection(settings, names, [&](connection& link) -> status {
        for (const std::string& key : keys) {
            if (auto ok = link.bind(names, key); !ok) return ok;
        }
        return {};
    });
}

std::expected<void, std::string> unbind(const options& settings, const topology& names,
                                        std::span<const std::string> keys) {
    return on_a_connection(settings, names, [&](connection& link) -> status {
        for (const std::string& key : keys) {
            if (auto ok = link.unbind(names, key); !ok) return ok;
        }
        return {};
    });
}

std::expected<std::vector<std::string>, std::string> find_bound(
    const options& settings, const topology& names, std::span<const std::string> keys,
    const std::string& body, std::chrono::milliseconds patience) {
    std::vector<std::string> bound;
    const auto ask = [&](connection& link) -> status {
        if (auto ok = link.confirm_select(); !ok) return ok;
        confirm_window window(keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto number = window.add(i, clock::now());
            if (auto ok = link.publish(names.exchange, {keys[i], body, i}, number); !ok) return ok;
        }
        std::vector<confirm_window::settled> settled;
        if (auto ok = settle(link, window, clock::now() + patience, settled); !ok) return ok;
        for (const auto& [tag, what] : settled) {
            if (what != outcome::returned) bound.push_back(keys[tag]);
        }
        return {};
    };
    if (auto ok = on_a_connection(settings, names, ask); !ok) return std::unexpected(ok.error());
    return bound;
}

}  // namespace flashsale::amqp
