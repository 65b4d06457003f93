#pragma once

#include <flashsale/http.hpp>

namespace flashsale::http {

/// What the request decides about the form of its answer.
struct answer_form {
    bool close = false;      ///< say that this is the connection's last answer
    bool head_only = false;  ///< the request was HEAD
    bool http_1_0 = false;   ///< keep-alive must be said, and a stream ends with the connection
    const std::string* cors = nullptr;  ///< header lines, if cors_policy is used
};

/// The header lines that are the same for all answers of a worker, as they go on the wire, up to
/// the number that X-Request-Id ends with. Made once for each date: an answer copies them in one
/// piece.
class common_lines {
public:
    /// `prefix` begins the request ids made here.
    explicit common_lines(std::string_view prefix) : prefix_(prefix) {}

    void set_date(std::chrono::system_clock::time_point now);

    std::string_view all() const { return text_; }
    std::string_view date() const { return std::string_view(text_).substr(0, date_bytes_); }
    std::string_view prefix() const { return prefix_; }

    static constexpr std::string_view no_store = "Cache-Control: no-store\r\n";
    static constexpr std::string_view request_id = "X-Request-Id: ";

private:
    std::string prefix_;
    std::string text_;
    std::size_t date_bytes_ = 0;
};

/// Appends the answer as it goes on the wire; of a stream the header alone.
void append_answer(std::string& out, const response& answer, answer_form form,
                   const common_lines& lines, const request_name& name);

/// A piece of a stream that comes in chunks (RFC 9112, section 7.1).
void append_chunk(std::string& out, std::string_view piece);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// `Date: Tue, 15 Nov 1994 08:12:31 GMT` with its line end.
std::string make_date_line(std::chrono::system_clock::time_point now);

inline constexpr std::string_view continue_answer = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace flashsale::http
