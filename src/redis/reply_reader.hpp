#pragma once

#include <flashsale/redis.hpp>

#include <optional>
#include <string>
#include <string_view>

struct redisReader;
struct redisReadTask;

namespace flashsale::redis {

/// Bytes to values: hiredis' parser, building our values directly. No I/O.
class reply_reader {
public:
    static constexpr std::size_t array_elements_max = 1'000'000;
    static constexpr std::size_t reply_bytes_max = 67'108'864;

    struct reply {
        value content;
        bool is_error = false;  ///< the reply itself, its text in content.text
    };

    reply_reader();
    ~reply_reader();
    reply_reader(const reply_reader&) = delete;
    reply_reader& operator=(const reply_reader&) = delete;

    void feed(std::string_view bytes);

    /// The next complete reply. Nothing: more bytes are needed, or fault() says what is wrong.
    std::optional<reply> next();

    const std::string& fault() const { return fault_; }

    /// Forgets everything, for a new connection.
    void reset();

private:
    struct builder;

    value& place(const redisReadTask& task);

    redisReader* parser_;
    value root_;
    bool root_is_error_ = false;
    std::size_t bytes_since_reply_ = 0;
    std::string fault_;
};

}  // namespace flashsale::redis
