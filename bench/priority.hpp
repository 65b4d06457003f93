#pragma once

#include <sys/resource.h>

namespace flashsale::bench {

/// Lets this thread go first, where that is permitted: clients are other machines in truth, and do
/// not wait until the server has nothing to do. For fixed rates alone; a closed loop takes what is
/// left.
class first_in_line {
public:
    first_in_line() : before_{getpriority(PRIO_PROCESS, 0)} { setpriority(PRIO_PROCESS, 0, -15); }
    ~first_in_line() { setpriority(PRIO_PROCESS, 0, before_); }
    first_in_line(const first_in_line&) = delete;
    first_in_line& operator=(const first_in_line&) = delete;

private:
    int before_;
};

}  // namespace flashsale::bench
