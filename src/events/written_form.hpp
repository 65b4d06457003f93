#pragma once

#include <flashsale/events/event.hpp>
#include <optional>
#include <string_view>

namespace flashsale::events {

/// Takes an order in short off the front of `text` if it stands there exactly as append_granted()
/// writes it, with no escapes and ASCII alone; else takes nothing. What it takes, parse() reads the
/// same.
///
/// To read events as any JSON would cost the recorder as much as all else it does with them, and
/// nearly all are of this form. Whatever is not goes the general way.
std::optional<order_accepted> take_written_form(std::string_view& text);

}  // namespace flashsale::events
