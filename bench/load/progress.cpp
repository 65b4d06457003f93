#include "load/progress.hpp"

#include <unistd.h>

#include <cstdio>

namespace flashsale::bench {

progress_line::progress_line() : terminal_{isatty(STDERR_FILENO) == 1} {}

void progress_line::show(std::string_view text) {
    if (!terminal_) return;
    std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(text.size()), text.data());
    std::fflush(stderr);
    shown_ = true;
}

void progress_line::clear() {
    if (!shown_) return;
    std::fputs("\r\033[K", stderr);
    shown_ = false;
}

}  // namespace flashsale::bench
