#pragma once

#include <source_location>

namespace flashsale {

namespace detail {
[[noreturn]] void does_not_hold(const char* what, const std::source_location& where) noexcept;
}

/// Ends the process, with a sentence on standard error, if `holds` is false: `what` is why it must
/// be true. For what only a defect of this program can break, on the order path, in every build:
/// the death of a process loses nothing, an answer to the wrong client does. Never for what came
/// from outside.
inline void must_hold(
    bool holds, const char* what,
    const std::source_location& where = std::source_location::current()) noexcept {
    if (!holds) [[unlikely]]
        detail::does_not_hold(what, where);
}

}  // namespace flashsale
