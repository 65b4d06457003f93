#include "answer.hpp"

#include <ctime>
#include <flashsale/base/json_fields.hpp>

namespace flashsale::http {

namespace {

struct status_line {
    unsigned status;
    std::string_view line;
};

constexpr std::array status_lines{
    // Searched from the front: what a sale answers most comes first.
    status_line{409, "HTTP/1.1 409 Conflict\r\n"},
    status_line{400, "HTTP/1.1 400 Bad Request\r\n"},
    status_line{200, "HTTP/1.1 200 OK\r\n"},
    status_line{201, "HTTP/1.1 201 Created\r\n"},
    status_line{202, "HTTP/1.1 202 Accepted\r\n"},
    status_line{204, "HTTP/1.1 204 No Content\r\n"},
    status_line{404, "HTTP/1.1 404 Not Found\r\n"},
    status_line{405, "HTTP/1.1 405 Method Not Allowed\r\n"},
    status_line{408, "HTTP/1.1 408 Request Timeout\r\n"},
    status_line{411, "HTTP/1.1 411 Length Required\r\n"},
    status_line{413, "HTTP/1.1 413 Content Too Large\r\n"},
    status_line{414, "HTTP/1.1 414 URI Too Long\r\n"},
    status_line{415, "HTTP/1.1 415 Unsupported Media Type\r\n"},
    status_line{422, "HTTP/1.1 422 Unprocessable Content\r\n"},
    status_line{431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
    status_line{500, "HTTP/1.1 500 Internal Server Error\r\n"},
    status_line{501, "HTTP/1.1 501 Not Implemented\r\n"},
    status_line{503, "HTTP/1.1 503 Service Unavailable\r\n"},
    status_line{505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
};

void append_status_line(std::string& out, unsigned status) {
    for (const status_line& known : status_lines) {
        if (known.status == status) {
            out.append(known.line);
            return;
        }
    }
    // An empty reason phrase is as good as any (RFC 9112, section 4).
    out.append("HTTP/1.1 ");
    append_integer(out, std::uint64_t{status});
    out.append(" \r\n");
}

void append_header(std::string& out, std::string_view name_and_colon, std::string_view value) {
    if (value.empty()) return;
    out.append(name_and_colon).append(value).append("\r\n");
}

void append_content_type(std::string& out, const response& answer) {
    if (answer.body.empty()) return;
    if (!answer.content_type.empty()) {
        append_header(out, "Content-Type: ", answer.content_type);
    } else if (answer.status >= 400) {
        out.append("Content-Type: application/problem+json\r\n");
    } else {
        out.append("Content-Type: application/json\r\n");
    }
}

}  // namespace

void append_answer(std::string& out, const response& answer, answer_form form,
                   std::string_view date_line) {
    append_status_line(out, answer.status);
    append_content_type(out, answer);
    out.append(date_line);
    append_header(out, "Location: ", answer.location);
    append_header(out, "Idempotency-Key: ", answer.idempotency_key);
    append_header(out, "Allow: ", answer.allow);
    if (answer.replayed) out.append("Idempotent-Replayed: true\r\n");
    if (answer.retry_after_s != 0) {
        out.append("Retry-After: ");
        append_integer(out, std::uint64_t{answer.retry_after_s});
        out.append("\r\n");
    }
    if (form.close) {
        out.append("Connection: close\r\n");
    } else if (form.http_1_0) {
        out.append("Connection: keep-alive\r\n");
    }
    // A 204 has neither body nor Content-Length (RFC 9110, section 8.6).
    if (answer.status == 204) {
        out.append("\r\n");
        return;
    }
    out.append("Content-Length: ");
    append_integer(out, std::uint64_t{answer.body.size()});
    out.append("\r\n\r\n");
    if (!form.head_only) out.append(answer.body);
}

std::string make_date_line(std::chrono::system_clock::time_point now) {
    // Not strftime: the names of days and months are English in every locale.
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 64> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                      days.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                      months.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900,
                      utc.tm_hour, utc.tm_min, utc.tm_sec);
    return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace flashsale::http
