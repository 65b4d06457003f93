#pragma once

#include <sched.h>
#include <sys/resource.h>

namespace flashsale::bench {

/// Lets this thread go first, where that is permitted: clients are other machines in truth, and do
/// not wait until a server has had its turn. For fixed rates alone, which leave most of a core
/// idle; a closed loop takes what is left.
class first_in_line {
public:
    first_in_line() : nice_before_{getpriority(PRIO_PROCESS, 0)} {
        sched_getparam(0, &before_);
        policy_before_ = sched_getscheduler(0);
        const sched_param lowest_of_realtime{.sched_priority = 1};
        if (sched_setscheduler(0, SCHED_FIFO, &lowest_of_realtime) != 0)
            setpriority(PRIO_PROCESS, 0, -15);
    }
    ~first_in_line() {
        sched_setscheduler(0, policy_before_, &before_);
        setpriority(PRIO_PROCESS, 0, nice_before_);
    }
    first_in_line(const first_in_line&) = delete;
    first_in_line& operator=(const first_in_line&) = delete;

private:
    int nice_before_;
    int policy_before_;
    sched_param before_{};
};

}  // namespace flashsale::bench
