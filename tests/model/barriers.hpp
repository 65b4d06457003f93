#pragma once

// Barriers as the model writes them, and what the recorder's parts share.

#include <flashsale/events/event.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <optional>
#include <string>

#include "process.hpp"

namespace flashsale::model {

struct barrier {
    std::string id;
    std::uint64_t generation = 0;
    bool closes = false;  ///< a reopening's: events of older generations behind it are old
};

inline std::string text_of(const barrier& one) {
    return fmt::format(R"({{"barrier":"{}","generation":{},"closes":{}}})", one.id, one.generation,
                       one.closes);
}

inline std::optional<barrier> barrier_of(const std::string& text) {
    const auto parsed = boost::json::parse(text);
    const auto* object = parsed.if_object();
    if (!object || !object->contains("barrier")) return std::nullopt;
    return barrier{std::string(object->at("barrier").as_string()),
                   object->at("generation").to_number<std::uint64_t>(),
                   object->at("closes").as_bool()};
}

/// In the order database.
inline void pass(order_database& in, const barrier& what) {
    in.barriers.insert(what.id);
    if (what.closes) in.closed_generation = std::max(in.closed_generation, what.generation);
}

/// A point of the protocol at which a process may die or sleep.
void reach(process& of, std::string_view where);

/// An old event that is not recorded: is there a unit for it? False: no longer ours to ask.
awaitable<bool> ask_again(process& of, events::event what);

/// Publishes a barrier and waits until it is recorded, for at most `patience`.
awaitable<bool> wait_for_barrier(process& of, barrier what, micros patience);

}  // namespace flashsale::model
