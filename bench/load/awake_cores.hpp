#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>

namespace flashsale::bench {

/// Keeps the cores from sleeping while it lives, where that is permitted, by the kernel's interface
/// for it (Documentation/power/pm_qos_interface). A core of a virtual machine that sleeps comes
/// back when its host sees fit, one in a hundred times after milliseconds: at a fixed rate, which
/// leaves the cores idle in between, that would be all that the highest percentiles tell of; and an
/// order of a few users is a chain of wake-ups.
class awake_cores {
public:
    awake_cores() : request_{::open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC)} {
        const std::int32_t wake_up_us = 0;
        if (request_ >= 0 && ::write(request_, &wake_up_us, sizeof wake_up_us) < 0) {
            ::close(request_);
            request_ = -1;
        }
    }
    ~awake_cores() {
        if (request_ >= 0) ::close(request_);
    }
    bool held() const { return request_ >= 0; }
    awake_cores(const awake_cores&) = delete;
    awake_cores& operator=(const awake_cores&) = delete;

private:
    int request_;  ///< holds for as long as it is open
};

}  // namespace flashsale::bench
