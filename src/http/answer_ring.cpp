#include "answer_ring.hpp"

namespace flashsale::http {

std::uint64_t answer_ring::push(answer_form form, const request_name& name) {
    if (size() == slots_.size()) grow();
    slot& made = at(next_);
    made.form = form;
    made.taken_name = name.taken;
    made.made_name = name.number;
    made.answered = false;
    return next_++;
}

bool answer_ring::answer(std::uint64_t number, const response& value, const common_lines& lines,
                         std::string& out) {
    if (!is_open(number)) return false;
    slot& mine = at(number);
    mine.answered = true;
    if (number != oldest_) {
        append_answer(mine.kept, value, mine.form, lines, mine.name());
        return true;
    }
    append_answer(out, value, mine.form, lines, mine.name());
    ++oldest_;
    while (!empty() && at(oldest_).answered) {
        out.append(at(oldest_).kept);
        at(oldest_).kept = {};
        ++oldest_;
    }
    return true;
}

std::optional<request_name> answer_ring::name_of(std::uint64_t number) const {
    if (!is_open(number)) return std::nullopt;
    return at(number).name();
}

void answer_ring::close_newest() {
    if (!empty()) at(next_ - 1).form.close = true;
}

void answer_ring::release() {
    if (empty()) slots_ = {};
}

void answer_ring::grow() {
    constexpr std::size_t slots_min = 4;
    std::vector<slot> wider(std::max(slots_min, slots_.size() * 2));
    for (std::uint64_t number = oldest_; number != next_; ++number) {
        wider[number & (wider.size() - 1)] = std::move(at(number));
    }
    slots_ = std::move(wider);
}

}  // namespace flashsale::http
