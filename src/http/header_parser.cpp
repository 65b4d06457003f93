#include "header_parser.hpp"

#include <boost/beast/core/string.hpp>

#include "characters.hpp"

namespace flashsale::http {

namespace {

using parse_error = beast::http::error;

constexpr std::string_view idempotency_key_name = "Idempotency-Key";
constexpr std::string_view request_id_name = "X-Request-Id";
constexpr refusal no_decimal_length{.detail = "Content-Length must be one decimal number.",
                                    .field = "Content-Length"};

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

/// RFC 9110, section 5.3: such a field may come in several lines.
constexpr bool is_list(header which) {
    switch (which) {
        case header::accept:
        case header::forwarded:
        case header::if_match:
        case header::if_none_match:
        case header::x_forwarded_for:
            return true;
        case header::access_control_request_method:
        case header::authorization:
        case header::last_event_id:
        case header::origin:
            break;
    }
    return false;
}

/// Which of those that handlers may ask for; Beast knows most of them.
std::optional<header> declared(field known, beast::string_view name) {
    switch (known) {
        case field::accept:
            return header::accept;
        case field::access_control_request_method:
            return header::access_control_request_method;
        case field::authorization:
            return header::authorization;
        case field::forwarded:
            return header::forwarded;
        case field::if_match:
            return header::if_match;
        case field::if_none_match:
            return header::if_none_match;
        case field::origin:
            return header::origin;
        case field::unknown:
            if (beast::iequals(name, "Last-Event-ID")) return header::last_event_id;
            if (beast::iequals(name, "X-Forwarded-For")) return header::x_forwarded_for;
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

bool iequals(beast::string_view one, std::string_view other) {
    return beast::iequals(one, {other.data(), other.size()});
}

}  // namespace

header_parser::header_parser(std::string_view input, std::size_t uri_bytes_max, headers& found,
                             joined_lists& joined)
    : input_(input), uri_bytes_max_(uri_bytes_max), found_(found), joined_(joined) {
    body_limit(boost::none);
    // Both limits are the caller's.
    header_limit(std::numeric_limits<std::uint32_t>::max());
}

void header_parser::on_request_impl(verb which, beast::string_view, beast::string_view whole,
                                    int version, error_code& ec) {
    started = true;
    method = which;
    target = view(whole);
    http_1_0 = version == 10;
    if (target.size() > uri_bytes_max_) refuse(ec, {.type = &problems::uri_too_long});
}

void header_parser::on_field_impl(field known, beast::string_view name, beast::string_view value,
                                  error_code& ec) {
    if (is_folded(name, value)) {
        return refuse(ec, {.detail = "A header field is continued on a second line."});
    }
    switch (known) {
        case field::content_length:
            if (++content_lengths > 1 || !std::ranges::all_of(value, http::is_digit)) {
                refuse(ec, no_decimal_length);
            }
            break;
        case field::transfer_encoding:
            ++transfer_encodings;
            is_chunked = iequals(value, "chunked");
            break;
        case field::content_type:
            ++content_types;
            content_type = view(value);
            break;
        case field::content_encoding:
            if (!value.empty() && !iequals(value, "identity")) has_other_coding = true;
            break;
        case field::host:
            ++hosts;
            host = view(value);
            break;
        case field::expect:
            expects_continue = beast::iequals(value, "100-continue");
            break;
        case field::unknown:
            if (name.size() == idempotency_key_name.size() && iequals(name, idempotency_key_name)) {
                ++idempotency_keys;
                idempotency_key = view(value);
            } else if (name.size() == request_id_name.size() && iequals(name, request_id_name)) {
                ++request_ids;
                request_id = view(value);
            } else {
                keep_declared(known, name, value);
            }
            break;
        default:
            keep_declared(known, name, value);
            break;
    }
}

// Apart from the fields that every order has.
[[gnu::noinline]] void header_parser::keep_declared(field known, beast::string_view name,
                                                    beast::string_view value) {
    if (const auto which = declared(known, name)) keep(*which, view(name), view(value));
}

void header_parser::keep(header which, std::string_view name, std::string_view value) {
    if (!found_.has(which)) return found_.set(which, value);
    if (!is_list(which)) {
        repeated = name;
        return;
    }
    auto known = std::ranges::find(joined_, which, &joined_lists::value_type::first);
    if (known == joined_.end()) {
        joined_.reserve(header_count);
        joined_.emplace_back(which, found_[which]);
        known = joined_.end() - 1;
    }
    known->second.append(", ").append(value);
    found_.set(which, known->second);
}

/// Beast joins folded lines in a buffer of its own, or lets the value begin on the next line.
bool header_parser::is_folded(beast::string_view name, beast::string_view value) const {
    const char* const value_min = name.data() + name.size() + 1;
    const std::less<> before;
    if (before(value.data(), value_min) || before(input_.data() + input_.size(), value.data())) {
        return true;
    }
    return std::find(value_min, value.data(), '\n') != value.data();
}

void header_parser::refuse(error_code& ec, refusal why) {
    refused = why;
    ec = parse_error::bad_value;
}

/// Beast has one error for a version that is unknown and for text that is no version. Of the
/// request line it has accepted the method and the target.
bool header_parser::names_another_version() const {
    const std::size_t target_begin = input_.find(' ') + 1;
    const std::string_view version = input_.substr(input_.find(' ', target_begin) + 1, 8);
    return version.size() == 8 && version.starts_with("HTTP/") && http::is_digit(version[5]) &&
           version[6] == '.' && http::is_digit(version[7]) && version != "HTTP/1.0" &&
           version != "HTTP/1.1";
}

refusal header_parser::explain(const error_code& ec) const {
    if (refused) return *refused;
    if (ec == parse_error::bad_version && names_another_version()) {
        return {.type = &problems::version_not_supported};
    }
    // Beast's own words for a Transfer-Encoding beside a Content-Length, and for a second one.
    if (ec == parse_error::bad_transfer_encoding) return two_lengths;
    if (ec == parse_error::bad_content_length || ec == parse_error::multiple_content_length) {
        return transfer_encodings > 0 ? two_lengths : no_decimal_length;
    }
    if (ec == parse_error::bad_method) return {.detail = "The request's method is malformed."};
    if (ec == parse_error::bad_target) return {.detail = "The request's target is malformed."};
    if (ec == parse_error::bad_version) return {.detail = "The request line is malformed."};
    return {.detail = "A header field or line end is malformed."};
}

}  // namespace flashsale::http
