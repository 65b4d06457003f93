#pragma once

#include "answer.hpp"
#include "running_stream.hpp"

namespace flashsale::http {

/// The requests of one connection that are not answered yet, oldest first. Answers may come in any
/// order and leave in the order of the requests: one that comes early is kept, rendered, in its
/// slot. A stream is asked for nothing before its turn has come, and then holds up what is behind
/// it.
class answer_ring {
public:
    /// The new slot's number; numbers are never used again. Of the name, all but the prefix is
    /// kept.
    std::uint64_t push(answer_form form, const request_name& name);

    /// Renders into `out` what may leave now: nothing if an older answer is still missing. False if
    /// the slot is not open, because it was answered before.
    bool answer(std::uint64_t number, const response& value, const common_lines& lines,
                std::string& out);

    /// Of an open slot.
    bool is_head_only(std::uint64_t number) const { return at(number).form.head_only; }
    bool is_open(std::uint64_t number) const {
        return number >= oldest_ && number < next_ && !at(number).answered;
    }

    /// The same with an answer whose body is `stream`.
    void answer(std::uint64_t number, const response& value, const common_lines& lines,
                std::string& out, std::unique_ptr<running_stream> stream);
    /// The oldest answer is a stream, and its header has left.
    bool is_streaming() const { return streaming_; }
    /// Of that one.
    const std::shared_ptr<body_source>& source() const { return at(oldest_).stream->source; }
    request_name stream_name() const { return at(oldest_).name(); }
    /// Only the connection's end can end it.
    bool ends_with_connection() const { return at(oldest_).form.http_1_0; }
    void append_piece(std::string& out, std::string_view piece) const;
    /// Renders its end and what may leave now. Whatever is behind one that ends with the connection
    /// is forgotten.
    void end_stream(std::string& out);

    /// Of an open slot, until its answer; else nullopt.
    std::optional<request_name> name_of(std::uint64_t number) const;

    /// The newest request's answer will say `Connection: close`, unless it has been rendered.
    void close_newest();

    std::size_t size() const { return static_cast<std::size_t>(next_ - oldest_); }
    bool empty() const { return next_ == oldest_; }

    /// Forgets all.
    void clear();
    /// Gives memory back; only when empty.
    void release();

private:
    struct slot {
        request_name name() const { return {.taken = taken_name, .number = made_name}; }

        std::string kept;
        std::string taken_name;  ///< its memory serves the next request here
        std::unique_ptr<running_stream> stream;
        std::uint64_t made_name = 0;
        answer_form form;
        bool answered = false;
    };

    const slot& at(std::uint64_t number) const { return slots_[number & (slots_.size() - 1)]; }
    slot& at(std::uint64_t number) { return slots_[number & (slots_.size() - 1)]; }
    void grow();
    void release_answered(std::string& out);

    std::vector<slot> slots_;  ///< a power of two of them, or none
    std::uint64_t oldest_ = 0;
    std::uint64_t next_ = 0;
    bool streaming_ = false;
};

}  // namespace flashsale::http
