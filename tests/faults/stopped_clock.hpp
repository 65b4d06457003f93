#pragma once

#include <chrono>

#include "process.hpp"

namespace flashsale::test {

/// A steady clock that stands still for as long as it is told, as that of a suspended machine does:
/// CLOCK_MONOTONIC is late in a process that is started with variables(). CLOCK_BOOTTIME goes on.
class stopped_clock {
public:
    stopped_clock();
    ~stopped_clock();
    stopped_clock(const stopped_clock&) = delete;
    stopped_clock& operator=(const stopped_clock&) = delete;

    environment variables() const;
    /// Later by so much, for all processes that have it.
    void add(std::chrono::nanoseconds time);

private:
    temporary_file file_;
    long long* late_ = nullptr;  ///< nanoseconds, mapped
};

}  // namespace flashsale::test
