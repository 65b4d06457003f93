#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flashsale::bench {

/// A process and all below it: the CPU time that they, and those of them that have ended, used.
/// nullopt if there is no such process. Resolution: the kernel's clock tick, 10 ms.
std::optional<std::chrono::nanoseconds> cpu_time(pid_t pid);

/// Bytes of a process's memory that are in RAM.
std::optional<std::uint64_t> resident_bytes(pid_t pid);

/// Who works for an order, by name.
class processes {
public:
    void add(std::string name, pid_t pid);
    const std::vector<std::pair<std::string, pid_t>>& all() const { return all_; }

    /// CPU time of each, in the order of all(); zero for one that is gone.
    std::vector<std::chrono::nanoseconds> sample() const;

private:
    std::vector<std::pair<std::string, pid_t>> all_;
};

/// Adds redis, rabbitmq and postgres as script/stack noted them in FLASHSALE_STACK_DIR; those that
/// it does not know are left out.
void add_stack_servers(processes& to);

/// CPU of one process in a window.
struct cpu_share {
    std::string name;
    double seconds = 0;
};

std::vector<cpu_share> cpu_between(const processes& of,
                                   const std::vector<std::chrono::nanoseconds>& before,
                                   const std::vector<std::chrono::nanoseconds>& after);

double cpu_of(const std::vector<cpu_share>& shares, std::string_view name);

}  // namespace flashsale::bench
