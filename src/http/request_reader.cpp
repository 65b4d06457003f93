// How it works: a header is parsed from its first byte by a fresh Beast parser, whose callbacks
// keep views into the caller's buffer and copy nothing. If it is incomplete, the parser is thrown
// away and the next read starts over. That keeps an idle connection at a few words, lets the caller
// move its bytes, and makes the outcome a function of the bytes alone, however they were sliced;
// the price, a header read again per arrival, is bounded by header_bytes_max. Once a header is
// complete its length and the body's are remembered, and a body on its way costs nothing.
//
// Why it is safe: Beast 1.81 is lenient where two readers of one stream could disagree on where a
// request ends, and every such leniency is refused here: Transfer-Encoding in any form, a second or
// non-decimal Content-Length, folded lines, a POST without a length, HTTP/1.1 without one Host.

#include "request_reader.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace flashsale::http {

namespace {

namespace beast = boost::beast;
using beast::http::field;
using beast::http::verb;
using parse_error = beast::http::error;
using beast::error_code;

constexpr std::string_view idempotency_key_name = "Idempotency-Key";
constexpr std::size_t idempotency_key_bytes_max = 255;

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

class header_parser final : public beast::http::basic_parser<true> {
public:
    header_parser(std::string_view input, std::size_t uri_bytes_max)
        : input_(input), uri_bytes_max_(uri_bytes_max) {
        body_limit(boost::none);
        // Both limits are the caller's: it hands over no more bytes than a header may have.
        header_limit(std::numeric_limits<std::uint32_t>::max());
    }

    verb method = verb::unknown;
    std::string_view target;
    std::string_view content_type;
    std::string_view idempotency_key;
    unsigned idempotency_keys = 0;
    unsigned content_lengths = 0;
    unsigned hosts = 0;
    bool http_1_0 = false;
    bool expects_continue = false;
    bool started = false;  ///< the request line is complete
    std::optional<refusal> refused;

private:
    void on_request_impl(verb which, beast::string_view, beast::string_view whole, int version,
                         error_code& ec) override {
        started = true;
        method = which;
        target = view(whole);
        http_1_0 = version == 10;
        if (target.size() > uri_bytes_max_) refuse(ec, {.code = problem_code::uri_too_long});
    }

    void on_field_impl(field known, beast::string_view name, beast::string_view value,
                       error_code& ec) override {
        if (is_folded(name, value)) {
            return refuse(ec, {.detail = "A header field is continued on a second line."});
        }
        switch (known) {
            case field::content_length:
                if (++content_lengths > 1 || !std::ranges::all_of(value, is_digit)) {
                    refuse(ec, {.detail = "Content-Length must be one decimal number.",
                                .field = "Content-Length"});
                }
                break;
            case field::transfer_encoding:
                refuse(ec, {.code = problem_code::not_implemented});
                break;
            case field::content_type:
                content_type = view(value);
                break;
            case field::host:
                ++hosts;
                break;
            case field::expect:
                expects_continue = beast::iequals(value, "100-continue");
                break;
            case field::unknown:
                if (name.size() == idempotency_key_name.size() &&
                    beast::iequals(name, beast::string_view(idempotency_key_name.data(),
                                                            idempotency_key_name.size()))) {
                    ++idempotency_keys;
                    idempotency_key = view(value);
                }
                break;
            default:
                break;
        }
    }

    void on_header_impl(error_code&) override {}
    void on_finish_impl(error_code&) override {}
    // The body is taken from the buffer as it stands: put() is not called again after the header.
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(beast::string_view, error_code&) override { return 0; }
    void on_response_impl(int, beast::string_view, int, error_code&) override {}
    void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, error_code&) override {
        return 0;
    }

    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    /// Beast joins folded lines in a buffer of its own, or lets the value begin on the next line.
    bool is_folded(beast::string_view name, beast::string_view value) const {
        const char* const value_min = name.data() + name.size() + 1;
        const std::less<> before;
        if (before(value.data(), value_min) ||
            before(input_.data() + input_.size(), value.data())) {
            return true;
        }
        return std::find(value_min, value.data(), '\n') != value.data();
    }

    void refuse(error_code& ec, refusal why) {
        refused = why;
        ec = parse_error::bad_value;
    }

    std::string_view input_;
    std::size_t uri_bytes_max_;
};

/// Beast has one error for a version that is unknown and for text that is no version. Of the
/// request line it has accepted the method and the target.
bool names_another_version(std::string_view input) {
    const std::size_t target = input.find(' ') + 1;
    const std::string_view version = input.substr(input.find(' ', target) + 1, 8);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) &&
           version[6] == '.' && digit(version[7]) && version != "HTTP/1.0" && version != "HTTP/1.1";
}

refusal explain(const error_code& ec, std::string_view input) {
    if (ec == parse_error::bad_version && names_another_version(input)) {
        return {.code = problem_code::version_not_supported};
    }
    // Only a Transfer-Encoding beside a Content-Length gets here; any other is refused at its
    // field.
    if (ec == parse_error::bad_transfer_encoding) return {.code = problem_code::not_implemented};
    if (ec == parse_error::bad_content_length || ec == parse_error::multiple_content_length) {
        return {.detail = "Content-Length must be one decimal number.", .field = "Content-Length"};
    }
    if (ec == parse_error::bad_method) return {.detail = "The request's method is malformed."};
    if (ec == parse_error::bad_target) return {.detail = "The request's target is malformed."};
    if (ec == parse_error::bad_version) return {.detail = "The request line is malformed."};
    return {.detail = "A header field or line end is malformed."};
}

bool is_json(std::string_view content_type) {
    std::string_view type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t'))
        type.remove_suffix(1);
    return beast::iequals({type.data(), type.size()}, "application/json");
}

/// What leaves the end of the request, or what comes after it, in doubt.
std::optional<refusal> check_framing(const header_parser& header, const limits& bounds) {
    if (header.hosts > 1 || (header.hosts == 0 && !header.http_1_0)) {
        return refusal{.detail = "HTTP/1.1 asks for one Host header.", .field = "Host"};
    }
    if (header.method == verb::post && header.content_lengths == 0) {
        return refusal{.code = problem_code::length_required};
    }
    if (header.content_length().value_or(0) > bounds.body_bytes_max) {
        return refusal{.code = problem_code::body_too_large};
    }
    return std::nullopt;
}

/// What can be refused with the connection still in order.
std::optional<refusal> check_fields(const header_parser& header, std::size_t body_bytes) {
    if (header.method == verb::post && body_bytes > 0 && !header.content_type.empty() &&
        !is_json(header.content_type)) {
        return refusal{.code = problem_code::unsupported_media_type};
    }
    if (header.idempotency_keys == 0) return std::nullopt;
    const std::string_view key = header.idempotency_key;
    const auto is_visible = [](char c) { return c > 0x20 && c < 0x7f; };
    if (header.idempotency_keys == 1 && !key.empty() && key.size() <= idempotency_key_bytes_max &&
        std::ranges::all_of(key, is_visible)) {
        return std::nullopt;
    }
    return refusal{
        .detail = "Idempotency-Key must be one value of 1 to 255 visible ASCII characters.",
        .field = idempotency_key_name};
}

method method_of(verb known) {
    if (known == verb::post) return method::post;
    return known == verb::get || known == verb::head ? method::get : method::other;
}

}  // namespace

bool request_reader::read(std::string_view input, parsed_request& found) {
    found = {};
    std::size_t blank = 0;
    // RFC 9112, section 2.2: some clients end a body with an empty line that it does not count.
    while (input.substr(blank).starts_with("\r\n"))
        blank += 2;
    input.remove_prefix(blank);
    found.bytes = blank;
    if (input.size() < bytes_wanted_ || input.empty() || input == "\r") return false;

    const std::string_view head = input.substr(0, bounds_->header_bytes_max);
    header_parser header(head, bounds_->uri_bytes_max);
    error_code ec;
    const std::size_t header_bytes = header.put({head.data(), head.size()}, ec);
    if (ec == parse_error::need_more) {
        if (input.size() < bounds_->header_bytes_max) return false;
        refuse(found, input.size(),
               {.code =
                    header.started ? problem_code::headers_too_large : problem_code::uri_too_long});
        return true;
    }
    if (auto why =
            ec ? header.refused.value_or(explain(ec, head)) : check_framing(header, *bounds_)) {
        refuse(found, input.size(), *why);
        return true;
    }

    const auto body_bytes = static_cast<std::size_t>(header.content_length().value_or(0));
    const std::size_t bytes = header_bytes + body_bytes;
    if (input.size() < bytes) {
        if (bytes_wanted_ == 0) continue_wanted_ = header.expects_continue && !header.http_1_0;
        bytes_wanted_ = bytes;
        return false;
    }
    bytes_wanted_ = 0;
    continue_wanted_ = false;

    found.bytes += bytes;
    found.keep_alive = header.keep_alive();
    found.http_1_0 = header.http_1_0;
    found.head_only = header.method == verb::head;
    found.refused = check_fields(header, body_bytes);
    request& incoming = found.incoming;
    incoming.verb = method_of(header.method);
    const std::size_t question = header.target.find('?');
    incoming.path = header.target.substr(0, question);
    if (question != std::string_view::npos) incoming.query = header.target.substr(question + 1);
    incoming.body = input.substr(header_bytes, body_bytes);
    incoming.idempotency_key = header.idempotency_key;
    return true;
}

void request_reader::refuse(parsed_request& found, std::size_t bytes, refusal why) {
    bytes_wanted_ = 0;
    continue_wanted_ = false;
    found.refused = why;
    found.bytes += bytes;
    found.keep_alive = false;
}

}  // namespace flashsale::http
