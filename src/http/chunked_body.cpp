#include "chunked_body.hpp"

#include <algorithm>

#include "characters.hpp"

namespace flashsale::http {

namespace {

/// A size with its extensions; no client is known to need more.
constexpr std::size_t size_line_bytes_max = 256;
constexpr unsigned size_digits_max = 16;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

void chunked_body::read(std::string_view encoded) {
    while (at_ < encoded.size() && now_ == state::incomplete) {
        if (next_ == expected::data) {
            take_data(encoded.substr(at_));
            continue;
        }
        now_ = take(encoded[at_++]);
        if (now_ == state::malformed || ++framing_bytes_ <= framing_bytes_max_ + body_.size()) {
            continue;
        }
        now_ = next_ >= expected::trailer_begin ? state::trailers_too_large : state::too_large;
    }
}

void chunked_body::take_data(std::string_view data) {
    data = data.substr(0, chunk_bytes_);
    body_.append(data);
    at_ += data.size();
    chunk_bytes_ -= data.size();
    if (chunk_bytes_ == 0) next_ = expected::data_cr;
}

chunked_body::state chunked_body::take_size(char c) {
    const int value = hex_value(c);
    if (value < 0) {
        if (digits_ == 0 || (c != ';' && c != '\r')) return state::malformed;
        next_ = c == ';' ? expected::extension : expected::size_end;
        return state::incomplete;
    }
    if (++digits_ > size_digits_max) return state::malformed;
    chunk_bytes_ = chunk_bytes_ * 16 + static_cast<unsigned>(value);
    return chunk_bytes_ > body_bytes_max_ - body_.size() ? state::too_large : state::incomplete;
}

/// `incomplete` is all that can be said as long as nothing is wrong.
chunked_body::state chunked_body::take(char c) {
    const auto go_on = [this](bool right, expected then) {
        next_ = then;
        return right ? state::incomplete : state::malformed;
    };
    switch (next_) {
        case expected::size_begin:
            line_bytes_ = 0;
            digits_ = 0;
            next_ = expected::size;
            [[fallthrough]];
        case expected::size:
            if (++line_bytes_ > size_line_bytes_max) return state::malformed;
            return take_size(c);
        case expected::extension:
            if (++line_bytes_ > size_line_bytes_max) return state::malformed;
            if (c == '\r') return go_on(true, expected::size_end);
            return go_on(is_field_character(c), expected::extension);
        case expected::size_end:
            return go_on(c == '\n', chunk_bytes_ == 0 ? expected::trailer_begin : expected::data);
        case expected::data_cr:
            return go_on(c == '\r', expected::data_lf);
        case expected::data_lf:
            return go_on(c == '\n', expected::size_begin);
        case expected::trailer_begin:
            if (c == '\r') return go_on(true, expected::last_lf);
            return go_on(is_token_character(c), expected::trailer_name);
        case expected::trailer_name:
            if (c == ':') return go_on(true, expected::trailer_value);
            return go_on(is_token_character(c), expected::trailer_name);
        case expected::trailer_value:
            if (c == '\r') return go_on(true, expected::trailer_end);
            return go_on(is_field_character(c), expected::trailer_value);
        case expected::trailer_end:
            return go_on(c == '\n', expected::trailer_begin);
        case expected::last_lf:
            return c == '\n' ? state::complete : state::malformed;
        case expected::data:
            break;
    }
    return state::malformed;
}

}  // namespace flashsale::http
