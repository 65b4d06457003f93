#pragma once

#include <string>

#include "sandbox.hpp"

namespace flashsale::test {

/// Publishes one body into the world's exchange, as a stranger would, and waits for its confirm.
void publish(const sandbox& world, std::string body);

}  // namespace flashsale::test
