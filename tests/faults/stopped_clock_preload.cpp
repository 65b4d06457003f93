// Loaded before everything else into a process whose CLOCK_MONOTONIC is to be late, by as many
// nanoseconds as stand in the file that FLASHSALE_STOPPED_CLOCK names. In C, as it were: it runs
// before the C++ library does.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace {

constexpr long long second = 1'000'000'000;
const long long* late = nullptr;

__attribute__((constructor)) void map_the_file() {
    const char* path = std::getenv("FLASHSALE_STOPPED_CLOCK");
    const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void* mapped =
        file < 0 ? MAP_FAILED : mmap(nullptr, sizeof *late, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) _exit(2);  // no test is green for a clock that went on
    close(file);
    late = static_cast<const long long*>(mapped);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
    if (syscall(SYS_clock_gettime, clock, now) != 0) return -1;
    if (late == nullptr || (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE &&
                            clock != CLOCK_MONOTONIC_RAW))
        return 0;
    const long long all =
        now->tv_sec * second + now->tv_nsec - __atomic_load_n(late, __ATOMIC_RELAXED);
    now->tv_sec = all / second;
    now->tv_nsec = all % second;
    return 0;
}
