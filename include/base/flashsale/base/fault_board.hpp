#pragma once

// What the parts of a process know to be wrong, in one place: each sets and clears its own line, at
// the moment at which it learns it, and /readyz reads them all.

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashsale {

struct known_fault {
    std::string what;            ///< for people
    bool hinders_orders = true;  ///< with it this process should be sent none

    bool operator==(const known_fault&) const = default;
};

/// Any thread.
class fault_board {
public:
    struct line {
        std::string part;
        std::optional<known_fault> fault;  ///< nullopt: all is well
    };

    /// A part that was never set is not on the board.
    void set(std::string_view part, std::optional<known_fault> fault) {
        const std::lock_guard lock(mutex_);
        for (line& one : lines_) {
            if (one.part != part) continue;
            one.fault = std::move(fault);
            return;
        }
        lines_.push_back({std::string(part), std::move(fault)});
    }

    std::optional<known_fault> of(std::string_view part) const {
        const std::lock_guard lock(mutex_);
        for (const line& one : lines_) {
            if (one.part == part) return one.fault;
        }
        return std::nullopt;
    }

    /// In the order in which they were set first.
    std::vector<line> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<line> lines_;
};

}  // namespace flashsale
