#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flashsale::http {

/// A request body in chunks (RFC 9112, section 7.1), without I/O. Stricter than the grammar where
/// two readers could come to different ends: no white space around a size, no line end but CRLF, no
/// continued line. Chunk extensions and trailers are checked for their form, bounded, and ignored.
class chunked_body {
public:
    enum class state {
        incomplete,
        complete,
        malformed,
        too_large,  ///< the data, or what is around them
        trailers_too_large,
    };

    /// What is around the data may take `framing_bytes_max` and as many bytes as the data.
    chunked_body(std::size_t body_bytes_max, std::size_t framing_bytes_max)
        : body_bytes_max_(body_bytes_max), framing_bytes_max_(framing_bytes_max) {}

    /// `encoded` is all that has arrived behind the header, each time from its first byte. The
    /// outcome depends on the bytes alone, however they were sliced.
    void read(std::string_view encoded);

    state now() const { return now_; }
    bool wants_nothing() const { return now_ != state::incomplete; }

    std::string_view body() const { return body_; }
    /// Of `encoded`, those of the body once it is complete.
    std::size_t bytes() const { return at_; }

private:
    enum class expected {
        size_begin,
        size,
        extension,
        size_end,
        data,
        data_cr,
        data_lf,
        trailer_begin,
        trailer_name,
        trailer_value,
        trailer_end,
        last_lf,
    };

    state take(char c);
    state take_size(char c);
    void take_data(std::string_view data);

    std::size_t body_bytes_max_;
    std::size_t framing_bytes_max_;
    std::string body_;
    std::size_t at_ = 0;
    std::size_t framing_bytes_ = 0;
    std::size_t line_bytes_ = 0;     ///< of a size and its extensions
    std::uint64_t chunk_bytes_ = 0;  ///< still to come
    unsigned digits_ = 0;
    expected next_ = expected::size_begin;
    state now_ = state::incomplete;
};

}  // namespace flashsale::http
