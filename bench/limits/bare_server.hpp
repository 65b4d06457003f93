#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace flashsale::bench {

/// What HTTP alone costs: Beast's own read and write, keep-alive, one thread, and one constant
/// answer of `answer_bytes` in all (the head's size is the least), whatever is asked. Calls
/// `listening` with the port (0 takes any free one), then serves until the process ends.
void run_bare_server(std::uint16_t port, std::size_t answer_bytes,
                     const std::function<void(std::uint16_t)>& listening);

}  // namespace flashsale::bench
