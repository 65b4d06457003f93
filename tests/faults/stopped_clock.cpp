#include "stopped_clock.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>

namespace flashsale::test {

stopped_clock::stopped_clock() {
    const int file = open(file_.path().c_str(), O_RDWR | O_CLOEXEC);
    void* mapped = MAP_FAILED;
    if (file >= 0 && ftruncate(file, sizeof *late_) == 0)
        mapped = mmap(nullptr, sizeof *late_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + file_.path().string());
    late_ = static_cast<long long*>(mapped);
}

stopped_clock::~stopped_clock() {
    munmap(late_, sizeof *late_);
}

environment stopped_clock::variables() const {
    return {{"LD_PRELOAD", FLASHSALE_STOPPED_CLOCK},
            {"FLASHSALE_STOPPED_CLOCK", file_.path().string()}};
}

void stopped_clock::add(std::chrono::nanoseconds time) {
    __atomic_fetch_add(late_, time.count(), __ATOMIC_RELAXED);
}

}  // namespace flashsale::test
