#pragma once

// Asks the gate again for late events, and acts on what its answers mean (late_event.hpp).

#include <flashsale/order/recovery.hpp>

#include "late_store.hpp"

namespace flashsale::order {

/// ask_again() in recovery.hpp, with any store.
std::expected<late_report, std::string> ask_again(late_store& late, asio::io_context& io,
                                                  stock::gate_decisions& gate, std::uint32_t shard,
                                                  const uuid& after, std::size_t events_max);

}  // namespace flashsale::order
