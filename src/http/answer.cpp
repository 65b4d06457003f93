#include "answer.hpp"

#include <charconv>
#include <cstring>
#include <ctime>
#include <flashsale/base/json_fields.hpp>

#include "caching.hpp"

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
    status_line{304, "HTTP/1.1 304 Not Modified\r\n"},
    status_line{404, "HTTP/1.1 404 Not Found\r\n"},
    status_line{405, "HTTP/1.1 405 Method Not Allowed\r\n"},
    status_line{408, "HTTP/1.1 408 Request Timeout\r\n"},
    status_line{411, "HTTP/1.1 411 Length Required\r\n"},
    status_line{412, "HTTP/1.1 412 Precondition Failed\r\n"},
    status_line{413, "HTTP/1.1 413 Content Too Large\r\n"},
    status_line{414, "HTTP/1.1 414 URI Too Long\r\n"},
    status_line{415, "HTTP/1.1 415 Unsupported Media Type\r\n"},
    status_line{422, "HTTP/1.1 422 Unprocessable Content\r\n"},
    status_line{428, "HTTP/1.1 428 Precondition Required\r\n"},
    status_line{431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
    status_line{500, "HTTP/1.1 500 Internal Server Error\r\n"},
    status_line{501, "HTTP/1.1 501 Not Implemented\r\n"},
    status_line{503, "HTTP/1.1 503 Service Unavailable\r\n"},
    status_line{505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
};

/// Writes into room that is known to suffice. Literals become a few stores.
class writer {
public:
    explicit writer(char* at) : at_(at) {}

    template <std::size_t N>
    void put(const char (&literal)[N]) {
        std::memcpy(at_, literal, N - 1);
        at_ += N - 1;
    }
    void put(std::string_view text) {
        if (text.empty()) return;
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }
    void put(char c) { *at_++ = c; }
    void put_number(std::uint64_t number) { at_ = std::to_chars(at_, at_ + 20, number).ptr; }

    template <std::size_t N>
    void put_header(const char (&name_and_colon)[N], std::string_view value) {
        if (value.empty()) return;
        put(name_and_colon);
        put(value);
        put("\r\n");
    }

    char* end() const { return at_; }

private:
    char* at_;
};

/// All that an answer has beside the texts in response, request_name and common_lines.
constexpr std::size_t fixed_bytes_max = 768;

void put_status_line(writer& out, unsigned status) {
    for (const status_line& known : status_lines) {
        if (known.status == status) return out.put(known.line);
    }
    // An empty reason phrase is as good as any (RFC 9112, section 4).
    out.put("HTTP/1.1 ");
    out.put_number(status);
    out.put(" \r\n");
}

void put_content_type(writer& out, const response& answer, std::string_view body) {
    if (body.empty() && !answer.stream) return;
    if (!answer.content_type.empty()) {
        out.put_header("Content-Type: ", answer.content_type);
    } else if (answer.status >= 400) {
        out.put("Content-Type: application/problem+json\r\n");
    } else {
        out.put("Content-Type: application/json\r\n");
    }
}

bool is_escaped(char c) {
    return c == '"' || c == '\\';
}

/// As it stands in a problem document: visible ASCII, so there is nothing else to escape.
std::size_t escaped_bytes(std::string_view name) {
    return name.size() + static_cast<std::size_t>(std::ranges::count_if(name, is_escaped));
}

/// The two header lines that are not the worker's own: Cache-Control, and the name of a file.
void put_common(writer& out, const response& answer, const common_lines& lines,
                std::string_view taken_name, std::string_view number) {
    if (answer.cache_control.empty() && taken_name.empty()) {
        out.put(lines.all());
        out.put(number);
        return out.put("\r\n");
    }
    out.put(lines.date());
    answer.cache_control.empty() ? out.put(lines.no_store)
                                 : out.put_header("Cache-Control: ", answer.cache_control);
    out.put(lines.request_id);
    if (taken_name.empty()) {
        out.put(lines.prefix());
        out.put(number);
    } else {
        out.put(taken_name);
    }
    out.put("\r\n");
}

void put_headers(writer& out, const response& answer, answer_form form) {
    if (answer.etag != 0 || answer.revision != 0)
        out.put_header("ETag: ", quoted_tag(answer.etag, answer.revision));
    out.put_header("Location: ", answer.location);
    out.put_header("Idempotency-Key: ", answer.idempotency_key);
    out.put_header("Allow: ", answer.allow);
    if (answer.replayed) out.put("Idempotent-Replayed: true\r\n");
    if (answer.retry_after_s != 0) {
        out.put("Retry-After: ");
        out.put_number(answer.retry_after_s);
        out.put("\r\n");
    }
    if (answer.varies_by_accept) out.put("Vary: Accept\r\n");
    out.put(answer.header_lines);
    if (form.cors != nullptr) out.put(std::string_view(*form.cors));
    if (form.close) {
        out.put("Connection: close\r\n");
    } else if (form.http_1_0) {
        out.put("Connection: keep-alive\r\n");
    }
}

/// The last member of a problem document, and its end.
void put_problem_end(writer& out, const common_lines& lines, std::string_view taken_name,
                     std::string_view number) {
    out.put(",\"request_id\":\"");
    if (taken_name.empty()) {
        out.put(lines.prefix());
        out.put(number);
    } else {
        for (const char c : taken_name) {
            if (is_escaped(c)) out.put('\\');
            out.put(c);
        }
    }
    out.put("\"}");
}

constexpr std::size_t problem_end_bytes = std::string_view(R"(,"request_id":""})").size();

}  // namespace

void append_answer(std::string& out, const response& answer, answer_form form,
                   const common_lines& lines, const request_name& name) {
    const std::string_view body =
        answer.body.empty() ? answer.literal_body : std::string_view(answer.body);
    std::array<char, 20> digits;  // NOLINT(*-member-init)
    const std::string_view number(
        digits.data(),
        std::to_chars(digits.data(), digits.data() + digits.size(), name.number).ptr);

    const auto write = [&](char* room) {
        writer to(room);
        put_status_line(to, answer.status);
        put_content_type(to, answer, body);
        put_common(to, answer, lines, name.taken, number);
        put_headers(to, answer, form);
        // Neither has a body; a 204 must not have a Content-Length (RFC 9110, section 8.6), and
        // that of a 304 would be another answer's.
        if (answer.status == 204 || answer.status == 304) {
            to.put("\r\n");
            return to.end();
        }
        if (answer.stream) {
            if (!form.http_1_0) to.put("Transfer-Encoding: chunked\r\n");
            to.put("\r\n");
            return to.end();
        }
        std::size_t bytes = body.size();
        if (answer.is_problem) {
            bytes += problem_end_bytes + (name.taken.empty() ? lines.prefix().size() + number.size()
                                                             : escaped_bytes(name.taken));
        }
        to.put("Content-Length: ");
        to.put_number(bytes);
        to.put("\r\n\r\n");
        if (form.head_only) return to.end();
        to.put(body);
        if (answer.is_problem) put_problem_end(to, lines, name.taken, number);
        return to.end();
    };
    const std::size_t before = out.size();
    const std::size_t room =
        fixed_bytes_max + lines.all().size() + answer.content_type.size() +
        answer.cache_control.size() + answer.location.size() + answer.idempotency_key.size() +
        answer.allow.size() + answer.header_lines.size() +
        (form.cors != nullptr ? form.cors->size() : 0) + body.size() + 3 * name.taken.size();
    out.resize_and_overwrite(before + room, [&](char* data, std::size_t) {
        return static_cast<std::size_t>(write(data + before) - data);
    });
}

void append_chunk(std::string& out, std::string_view piece) {
    std::array<char, 16> digits;  // NOLINT(*-member-init)
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), piece.size(), 16).ptr;
    out.reserve(out.size() + piece.size() + digits.size() + 4);
    out.append(digits.data(), end).append("\r\n").append(piece).append("\r\n");
}

std::string request_name::to_string() const {
    if (!taken.empty()) return std::string(taken);
    std::string made(prefix);
    append_integer(made, number);
    return made;
}

void common_lines::set_date(std::chrono::system_clock::time_point now) {
    text_ = make_date_line(now);
    date_bytes_ = text_.size();
    text_.append(no_store).append(request_id).append(prefix_);
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
