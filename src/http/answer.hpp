#pragma once

#include <flashsale/http.hpp>

namespace flashsale::http {

/// What the request decides about the form of its answer.
struct answer_form {
    bool close = false;      ///< say that this is the connection's last answer
    bool head_only = false;  ///< the request was HEAD
    bool http_1_0 = false;   ///< keep-alive must be said
};

/// Appends the answer as it goes on the wire. `date_line` is a whole header line or empty.
void append_answer(std::string& out, const response& answer, answer_form form,
                   std::string_view date_line);

/// `Date: Tue, 15 Nov 1994 08:12:31 GMT` with its line end.
std::string make_date_line(std::chrono::system_clock::time_point now);

inline constexpr std::string_view continue_answer = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace flashsale::http
