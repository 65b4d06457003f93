#pragma once

// The one list of what the functional tests run on. A test that says redis_or_memory() is run on
// both configurations: on the servers, and embedded, without any. One that says every_gate() is run
// on the database gate too.

#include <catch2/catch.hpp>

#include <string>

#include "sandbox.hpp"

namespace flashsale::test {

inline std::string redis_or_memory() {
    return GENERATE(as<std::string>{}, "redis", "memory");
}

inline std::string every_gate() {
    return GENERATE(as<std::string>{}, "redis", "memory", "database");
}

inline environment with_gate(const std::string& gate) {
    return {{"FLASHSALE_STOCK__GATE", gate}};
}

}  // namespace flashsale::test
