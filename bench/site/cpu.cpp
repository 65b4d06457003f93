#include "site/cpu.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace flashsale::bench {

namespace {

using std::chrono::nanoseconds;

std::string read_file(const std::string& path) {
    std::ifstream file{path};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string proc(pid_t pid, const char* file) {
    return read_file("/proc/" + std::to_string(pid) + "/" + file);
}

}  // namespace

std::optional<nanoseconds> cpu_time(pid_t pid) {
    const auto stat = proc(pid, "stat");
    const auto name_end = stat.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields{stat.substr(name_end + 1)};
    std::string skipped;
    for (int i = 0; i < 11; ++i)
        fields >> skipped;
    std::int64_t user = 0, system = 0, waited_user = 0, waited_system = 0;
    fields >> user >> system >> waited_user >> waited_system;
    static const std::int64_t tick_ns = 1'000'000'000 / sysconf(_SC_CLK_TCK);
    nanoseconds all{(user + system + waited_user + waited_system) * tick_ns};
    std::istringstream children{proc(pid, ("task/" + std::to_string(pid) + "/children").c_str())};
    for (pid_t each = 0; children >> each;)
        all += cpu_time(each).value_or(nanoseconds{0});
    return all;
}

std::optional<std::uint64_t> resident_bytes(pid_t pid) {
    std::istringstream fields{proc(pid, "statm")};
    std::uint64_t size = 0, resident = 0;
    if (!(fields >> size >> resident)) return std::nullopt;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void processes::add(std::string name, pid_t pid) {
    all_.emplace_back(std::move(name), pid);
}

std::vector<nanoseconds> processes::sample() const {
    std::vector<nanoseconds> all;
    for (const auto& [name, pid] : all_) {
        // A process does not count what it started itself: those have lines of their own.
        if (pid == getpid()) {
            timespec used{};
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
            all.push_back(std::chrono::seconds{used.tv_sec} + nanoseconds{used.tv_nsec});
        } else {
            all.push_back(cpu_time(pid).value_or(nanoseconds{0}));
        }
    }
    return all;
}

void add_stack_servers(processes& to) {
    const char* folder = std::getenv("FLASHSALE_STACK_DIR");
    if (folder == nullptr) return;
    for (const char* name : {"redis", "rabbitmq", "postgres"}) {
        std::istringstream noted{read_file(std::string{folder} + "/run/" + name + ".pid")};
        if (pid_t pid = 0; noted >> pid && cpu_time(pid)) to.add(name, pid);
    }
}

std::vector<cpu_share> cpu_between(const processes& of, const std::vector<nanoseconds>& before,
                                   const std::vector<nanoseconds>& after) {
    std::vector<cpu_share> shares;
    for (std::size_t i = 0; i < of.all().size(); ++i) {
        const auto used = std::max(nanoseconds{0}, after[i] - before[i]);
        shares.push_back({of.all()[i].first, std::chrono::duration<double>(used).count()});
    }
    return shares;
}

double cpu_of(const std::vector<cpu_share>& shares, std::string_view name) {
    for (const auto& each : shares) {
        if (each.name == name) return each.seconds;
    }
    return 0;
}

}  // namespace flashsale::bench
