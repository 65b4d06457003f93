#include <flashsale/base/fault_points.hpp>

#ifdef FLASHSALE_CRASH_POINTS

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace flashsale::faults {

namespace {

constexpr int bad_variable_exit_code = 2;

[[noreturn]] void refuse(const char* variable, std::string_view text) {
    std::fprintf(stderr, "%s: '%.*s' is not understood\n", variable, static_cast<int>(text.size()),
                 text.data());
    ::_exit(bad_variable_exit_code);
}

template <class Names>
std::size_t position(const Names& names, std::string_view name, const char* variable) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) refuse(variable, name);
    return static_cast<std::size_t>(found - names.begin());
}

std::string_view text_of(const char* variable) {
    const char* text = std::getenv(variable);
    return text ? text : "";
}

/// `place:n`
struct trap {
    explicit trap(const char* variable) {
        const std::string_view text = text_of(variable);
        if (text.empty()) return;
        const auto colon = text.find(':');
        if (colon == std::string_view::npos) refuse(variable, text);
        where = static_cast<place>(position(place_names, text.substr(0, colon), variable));
        const auto digits = text.substr(colon + 1);
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), nth);
        if (read.ec != std::errc{} || nth == 0) refuse(variable, text);
    }

    bool springs(place here) { return nth != 0 && here == where && ++passes == nth; }

    place where{};
    std::uint64_t nth = 0;
    std::atomic<std::uint64_t> passes{0};
};

struct traps {
    trap crash{"FLASHSALE_CRASH"};
    trap stop{"FLASHSALE_STOP"};
    std::array<bool, guard_names.size()> absent{};

    traps() {
        std::string_view left = text_of("FLASHSALE_WITHOUT");
        while (!left.empty()) {
            const auto comma = left.find(',');
            absent[position(guard_names, left.substr(0, comma), "FLASHSALE_WITHOUT")] = true;
            left = comma == std::string_view::npos ? "" : left.substr(comma + 1);
        }
    }
};

traps& all() {
    static traps made;
    return made;
}

/// Before main: a bad variable must not wait for the first pass.
const traps& at_start = all();

}  // namespace

void pass(place where) {
    if (all().crash.springs(where)) {
        const auto name = place_names[static_cast<std::size_t>(where)];
        std::fprintf(stderr, "crash point %.*s\n", static_cast<int>(name.size()), name.data());
        ::_exit(crash_exit_code);
    }
    if (all().stop.springs(where)) ::raise(SIGSTOP);
}

bool without(guard which) {
    return all().absent[static_cast<std::size_t>(which)];
}

std::string_view without(guard which, std::string_view text, std::string_view words,
                         std::string_view instead) {
    const auto at = text.find(words);
    if (at == std::string_view::npos) refuse("not in the text that it guards", words);
    if (!without(which)) return text;
    static std::mutex mutex;
    static std::deque<std::string> kept;
    const std::lock_guard lock(mutex);
    return kept.emplace_back(text).replace(at, words.size(), instead);
}

}  // namespace flashsale::faults

#endif
