#include "reply_reader.hpp"

#include <hiredis/read.h>

#include <new>
#include <utility>

namespace flashsale::redis {

// The functions that hiredis calls for each element. They are noexcept: an exception must not pass
// through C. Every element has its place in the tree before it is filled, since an array's vector
// is sized once; so the pointers that hiredis keeps stay good.
struct reply_reader::builder {
    static reply_reader& owner(const redisReadTask* task) {
        return *static_cast<reply_reader*>(task->privdata);
    }

    static void* create_string(const redisReadTask* task, char* text, std::size_t size) noexcept {
        value& place = owner(task).place(*task);
        place.kind = value::type::string;
        place.text.assign(text, size);
        // An error inside an array stays a string there: which of its elements may be one is for
        // the command that was sent to say.
        if (task->type == REDIS_REPLY_ERROR && !task->parent) owner(task).root_is_error_ = true;
        return &place;
    }

    static void* create_array(const redisReadTask* task, int size) noexcept {
        if (static_cast<std::size_t>(size) > array_elements_max) return nullptr;
        value& place = owner(task).place(*task);
        place.kind = value::type::array;
        place.elements.resize(static_cast<std::size_t>(size));
        return &place;
    }

    static void* create_integer(const redisReadTask* task, long long number) noexcept {
        value& place = owner(task).place(*task);
        place.kind = value::type::integer;
        place.integer = number;
        return &place;
    }

    static void* create_nil(const redisReadTask* task) noexcept {
        return &owner(task).place(*task);
    }

    static void free_object(void*) noexcept {}  // the tree belongs to root_

    static inline redisReplyObjectFunctions functions{create_string, create_array, create_integer,
                                                      create_nil, free_object};
};

reply_reader::reply_reader() : parser_(redisReaderCreateWithFunctions(&builder::functions)) {
    if (!parser_) throw std::bad_alloc();
    parser_->privdata = this;
}

reply_reader::~reply_reader() {
    redisReaderFree(parser_);
}

void reply_reader::reset() {
    redisReader* fresh = redisReaderCreateWithFunctions(&builder::functions);
    if (!fresh) throw std::bad_alloc();
    redisReaderFree(std::exchange(parser_, fresh));
    parser_->privdata = this;
    root_ = {};
    root_is_error_ = false;
    bytes_since_reply_ = 0;
    fault_.clear();
}

value& reply_reader::place(const redisReadTask& task) {
    if (!task.parent) return root_;
    auto& parent = *static_cast<value*>(task.parent->obj);
    return parent.elements[static_cast<std::size_t>(task.idx)];
}

void reply_reader::feed(std::string_view bytes) {
    bytes_since_reply_ += bytes.size();
    if (redisReaderFeed(parser_, bytes.data(), bytes.size()) != REDIS_OK) fault_ = parser_->errstr;
}

std::optional<reply_reader::reply> reply_reader::next() {
    if (!fault_.empty()) return std::nullopt;
    void* complete = nullptr;
    if (redisReaderGetReply(parser_, &complete) != REDIS_OK) {
        fault_ = parser_->errstr;
        return std::nullopt;
    }
    if (!complete) {
        if (bytes_since_reply_ > reply_bytes_max)
            fault_ = "a reply of more than " + std::to_string(reply_bytes_max) + " bytes";
        return std::nullopt;
    }
    bytes_since_reply_ = 0;
    return reply{std::exchange(root_, {}), std::exchange(root_is_error_, false)};
}

}  // namespace flashsale::redis
