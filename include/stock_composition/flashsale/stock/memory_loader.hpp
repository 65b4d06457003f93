#pragma once

// Loads a gate in this process's memory (memory.hpp), as one in Redis is loaded: gate_loader.hpp.

#include <functional>
#include <memory>

#include "flashsale/stock/gate_loader.hpp"
#include "flashsale/stock/memory.hpp"

namespace flashsale::stock {

/// Before open(). No gate is there that it could replace, so there is nothing to close or to
/// remove. It is told of the products twice, before what was taken of them and after that. `loaded`
/// hears of each allocation; it may be empty.
std::unique_ptr<gate_loader> make_memory_gate_loader(
    memory_gate_owner& gate, std::function<void(const allocation&)> loaded = {});

}  // namespace flashsale::stock
