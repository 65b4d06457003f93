#pragma once

#include <string>

#include "sandbox.hpp"

namespace flashsale::test {

/// Publishes one body into the recorder's queue, as a stranger would, through an exchange of the
/// stranger's own, and waits for its confirm.
void publish(const sandbox& world, std::string body);

}  // namespace flashsale::test
