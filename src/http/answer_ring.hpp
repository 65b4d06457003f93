#pragma once

#include "answer.hpp"

namespace flashsale::http {

/// The requests of one connection that are not answered yet, oldest first. Answers may come in any
/// order and leave in the order of the requests: one that comes early is kept, rendered, in its
/// slot.
class answer_ring {
public:
    /// The new slot's number; numbers are never used again. Of the name, all but the prefix is
    /// kept.
    std::uint64_t push(answer_form form, const request_name& name);

    /// Renders into `out` what may leave now: nothing if an older answer is still missing. False if
    /// the slot is not open, because it was answered before.
    bool answer(std::uint64_t number, const response& value, const common_lines& lines,
                std::string& out);

    /// Of an open slot, until its answer; else nullopt.
    std::optional<request_name> name_of(std::uint64_t number) const;

    /// The newest request's answer will say `Connection: close`, unless it has been rendered.
    void close_newest();

    std::size_t size() const { return static_cast<std::size_t>(next_ - oldest_); }
    bool empty() const { return next_ == oldest_; }

    /// Gives memory back; only when empty.
    void release();

private:
    struct slot {
        request_name name() const { return {.taken = taken_name, .number = made_name}; }

        std::string kept;
        std::string taken_name;  ///< its memory serves the next request here
        std::uint64_t made_name = 0;
        answer_form form;
        bool answered = false;
    };

    bool is_open(std::uint64_t number) const {
        return number >= oldest_ && number < next_ && !at(number).answered;
    }
    const slot& at(std::uint64_t number) const { return slots_[number & (slots_.size() - 1)]; }
    slot& at(std::uint64_t number) { return slots_[number & (slots_.size() - 1)]; }
    void grow();

    std::vector<slot> slots_;  ///< a power of two of them, or none
    std::uint64_t oldest_ = 0;
    std::uint64_t next_ = 0;
};

}  // namespace flashsale::http
