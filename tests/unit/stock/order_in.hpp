#pragma once

#include <flashsale/events/event.hpp>

#include <stdexcept>

namespace flashsale::stock::test {

/// The order that an event is; throws if it is none.
inline events::order_accepted order_in(std::string_view text) {
    auto event = events::parse(text);
    if (!event) throw std::runtime_error(event.error());
    return std::get<events::order_accepted>(std::move(*event));
}

}  // namespace flashsale::stock::test
