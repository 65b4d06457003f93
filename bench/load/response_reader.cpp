#include "load/response_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace flashsale::bench {

namespace {

constexpr std::size_t room_min = 4'096;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view lower_b) {
    return std::equal(a.begin(), a.end(), lower_b.begin(), lower_b.end(),
                      [](char x, char y) { return lower(x) == y; });
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

template <class T>
bool to_number(std::string_view text, T& value) {
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    return fault == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::span<char> response_reader::prepare() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (buffer_.size() - end_ < room_min) {
        if (begin_ > 0) {
            std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        if (buffer_.size() - end_ < room_min) buffer_.resize(std::max(2 * end_, end_ + room_min));
    }
    return {buffer_.data() + end_, buffer_.size() - end_};
}

std::string_view response_reader::body() const {
    return {buffer_.data() + begin_ + head_bytes_, body_bytes_};
}

void response_reader::consume() {
    begin_ += head_bytes_ + body_bytes_;
    head_bytes_ = 0;
}

void response_reader::reset() {
    begin_ = end_ = 0;
    head_bytes_ = 0;
}

response_reader::state response_reader::parse() {
    const std::string_view bytes{buffer_.data() + begin_, end_ - begin_};
    if (head_bytes_ == 0) {
        const auto end = bytes.find("\r\n\r\n");
        if (end == std::string_view::npos) {
            return bytes.size() > head_bytes_max ? state::malformed : state::need_more;
        }
        const auto parsed = parse_head(bytes.substr(0, end));
        if (parsed == state::malformed) return parsed;
        if (status_ >= 100 && status_ < 200) {  // an interim answer: the real one follows
            begin_ += end + 4;
            return parse();
        }
        head_bytes_ = end + 4;
    }
    return bytes.size() >= head_bytes_ + body_bytes_ ? state::complete : state::need_more;
}

response_reader::state response_reader::parse_head(std::string_view head) {
    body_bytes_ = 0;
    has_length_ = close_ = replayed_ = false;
    retry_after_s_ = 0;

    const auto line_end = std::min(head.find("\r\n"), head.size());
    if (!parse_status_line(head.substr(0, line_end))) return state::malformed;
    head.remove_prefix(line_end);
    while (!head.empty()) {
        head.remove_prefix(2);
        const auto end = std::min(head.find("\r\n"), head.size());
        if (!parse_header(head.substr(0, end))) return state::malformed;
        head.remove_prefix(end);
    }
    const bool bodiless = status_ < 200 || status_ == 204 || status_ == 304;
    if (bodiless) {
        body_bytes_ = 0;
    } else if (!has_length_) {
        return state::malformed;
    }
    return state::complete;
}

bool response_reader::parse_status_line(std::string_view line) {
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ') return false;
    if (line[7] != '0' && line[7] != '1') return false;
    if (line.size() > 12 && line[12] != ' ') return false;
    close_ = line[7] == '0';
    return to_number(line.substr(9, 3), status_) && status_ >= 100 && status_ < 600;
}

bool response_reader::parse_header(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (equals_ignoring_case(name, "content-length")) {
        std::size_t length = 0;
        if (!to_number(value, length) || length > body_bytes_max) return false;
        if (has_length_ && length != body_bytes_) return false;
        has_length_ = true;
        body_bytes_ = length;
    } else if (equals_ignoring_case(name, "transfer-encoding")) {
        return false;
    } else if (equals_ignoring_case(name, "connection")) {
        if (equals_ignoring_case(value, "close")) close_ = true;
        if (equals_ignoring_case(value, "keep-alive")) close_ = false;
    } else if (equals_ignoring_case(name, "retry-after")) {
        if (!to_number(value, retry_after_s_)) retry_after_s_ = 1;  // a date: seldom, and no matter
    } else if (equals_ignoring_case(name, "idempotent-replayed")) {
        replayed_ = equals_ignoring_case(value, "true");
    }
    return true;
}

std::string_view problem_code_of(std::string_view body) {
    constexpr std::string_view name = "\"code\"";
    auto at = body.find(name);
    if (at == std::string_view::npos) return {};
    body = trim(body.substr(at + name.size()));
    if (!body.starts_with(':')) return {};
    body = trim(body.substr(1));
    if (!body.starts_with('"')) return {};
    body.remove_prefix(1);
    at = body.find('"');
    return at == std::string_view::npos ? std::string_view{} : body.substr(0, at);
}

}  // namespace flashsale::bench
