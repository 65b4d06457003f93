#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace flashsale::bench {

/// Reads HTTP/1.1 answers with a Content-Length from a stream of bytes, without I/O:
/// fill prepare(), commit() what came, parse() until it does not say `need_more`.
class response_reader {
public:
    enum class state {
        need_more,
        complete,   ///< the accessors below are valid until consume()
        malformed,  ///< no answer that this reader understands; reset() and drop the connection
    };

    static constexpr std::size_t head_bytes_max = 16 * 1'024;
    static constexpr std::size_t body_bytes_max = 4 * 1'024 * 1'024;

    /// Room for at least 4 KiB.
    std::span<char> prepare();
    void commit(std::size_t bytes) { end_ += bytes; }
    state parse();

    unsigned status() const { return status_; }
    bool close() const { return close_; }        ///< the server ends the connection after this
    bool replayed() const { return replayed_; }  ///< Idempotent-Replayed: true
    unsigned retry_after_s() const { return retry_after_s_; }
    std::string_view body() const;

    void consume();  ///< drops the complete answer
    void reset();    ///< drops everything
    bool empty() const { return begin_ == end_; }

private:
    state parse_head(std::string_view head);
    bool parse_status_line(std::string_view line);
    bool parse_header(std::string_view line);

    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;

    std::size_t head_bytes_ = 0;  // 0: the head is not complete yet
    std::size_t body_bytes_ = 0;
    bool has_length_ = false;
    unsigned status_ = 0;
    bool close_ = false;
    bool replayed_ = false;
    unsigned retry_after_s_ = 0;
};

/// The `code` of a problem document, empty if there is none. A view into `body`.
std::string_view problem_code_of(std::string_view body);

}  // namespace flashsale::bench
