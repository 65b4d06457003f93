#include "load/expected_answer.hpp"

#include <spdlog/fmt/fmt.h>

namespace flashsale::bench {

void expected_answer::done(std::size_t number, const outcome& what) {
    const auto accepted = orders_.totals().accepted;
    orders_.done(number, what);
    // The stream has looked for the order in it.
    const bool as_wanted = code_.empty() ? orders_.totals().accepted == accepted + 1
                                         : what.what == verdict::refused && what.code == code_;
    if (as_wanted || others_++ > 0) return;
    first_ =
        fmt::format("{} {}", what.status, what.code.empty() ? what.body.substr(0, 200) : what.code);
}

std::string expected_answer::fault() const {
    if (others_ == 0) return {};
    return fmt::format("{} of {} orders were not answered {}; the first of them: {}", others_,
                       orders_.sent(), code_.empty() ? "201" : code_, first_);
}

}  // namespace flashsale::bench
