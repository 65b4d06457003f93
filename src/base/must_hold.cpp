#include <cstdio>
#include <cstdlib>

#include <flashsale/base/must_hold.hpp>

namespace flashsale::detail {

// Straight to standard error: the log may be the one that is broken.
void does_not_hold(const char* what, const std::source_location& where) noexcept {
    std::fprintf(stderr, "flashsale: a defect of the program: %s:%u: it does not hold that %s\n",
                 where.file_name(), static_cast<unsigned>(where.line()), what);
    std::abort();
}

}  // namespace flashsale::detail
