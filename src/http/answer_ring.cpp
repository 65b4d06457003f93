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
    if (!empty() && at(oldest_).answered) release_answered(out);
    return true;
}

void answer_ring::answer(std::uint64_t number, const response& value, const common_lines& lines,
                         std::string& out, std::unique_ptr<running_stream> stream) {
    slot& mine = at(number);
    mine.answered = true;
    mine.stream = std::move(stream);
    if (mine.form.http_1_0) mine.form.close = true;
    append_answer(number == oldest_ ? out : mine.kept, value, mine.form, lines, mine.name());
    if (number == oldest_) streaming_ = true;
}

void answer_ring::append_piece(std::string& out, std::string_view piece) const {
    ends_with_connection() ? void(out.append(piece)) : append_chunk(out, piece);
}

void answer_ring::end_stream(std::string& out) {
    if (ends_with_connection()) return clear();
    out.append(last_chunk);
    streaming_ = false;
    at(oldest_).stream.reset();
    ++oldest_;
    release_answered(out);
}

/// From the front, up to a request that has no answer yet, or a stream.
void answer_ring::release_answered(std::string& out) {
    while (!empty() && at(oldest_).answered) {
        out.append(at(oldest_).kept);
        at(oldest_).kept = {};
        if (at(oldest_).stream) {
            streaming_ = true;
            return;
        }
        ++oldest_;
    }
}

std::optional<request_name> answer_ring::name_of(std::uint64_t number) const {
    if (!is_open(number)) return std::nullopt;
    return at(number).name();
}

void answer_ring::close_newest() {
    if (!empty()) at(next_ - 1).form.close = true;
}

void answer_ring::clear() {
    // Out of the way first: what a source does when it is dropped finds the ring in order.
    const auto dropped = std::exchange(slots_, {});
    oldest_ = next_;
    streaming_ = false;
}

void answer_ring::release() {
    if (empty()) slots_ = std::vector<slot>();
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
