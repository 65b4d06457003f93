#pragma once

// What a gate script's answer says of its gate, and what a process remembers of it.

#include <optional>
#include <string>
#include <string_view>

#include <flashsale/stock/module.hpp>

#include "redis_codec.hpp"

namespace flashsale::stock {

/// `epoch`: the asker's. nullopt: nothing, or that the asker has something to learn.
std::optional<gate_answer> answer_of(const script_status& status, std::uint64_t epoch);

/// Why a gate that answered so takes no orders, for people.
std::string fault_of(gate_answer last);

/// Notes it, and logs it if no worker has before.
void tell_answer(shard_epochs& in, std::uint32_t shard, gate_answer last, std::string_view header);

/// Of lua/give.lua, by an open gate.
std::expected<void, errc> given_by(const redis::value& reply);
/// What is said to those that gave units: terms that came too late are the business of others.
std::expected<void, errc> units_of(std::expected<void, errc> given);

}  // namespace flashsale::stock
