// How it works: a header is parsed from its first byte by a fresh Beast parser, whose callbacks
// keep views into the caller's buffer and copy nothing. If it is incomplete, the parser is thrown
// away and the next read starts over. That keeps an idle connection at a few words, lets the caller
// move its bytes, and makes the outcome a function of the bytes alone, however they were sliced;
// the price, a header read again per arrival, is bounded by header_bytes_max. Once a header is
// complete its length and the body's are remembered, and a body on its way costs nothing. One that
// comes in chunks is taken out of them as they come (chunked_body); its header is parsed once more
// when it is complete.
//
// Why it is safe: Beast 1.81 is lenient where two readers of one stream could disagree on where a
// request ends, and every such leniency is refused here: Transfer-Encoding beside Content-Length,
// twice, in HTTP/1.0, or other than chunked; a second or non-decimal Content-Length, folded lines,
// a body without a length, HTTP/1.1 without one Host. Beast never sees the chunks.

#include "request_reader.hpp"

#include "field_values.hpp"
#include "request_target.hpp"

namespace flashsale::http {

namespace {

/// RFC 9112, section 3.2. `accepted` is the last host that was found right here; a client seldom
/// has another.
std::optional<refusal> check_host(const header_parser& header, const request_target& target,
                                  const limits& bounds, std::string& accepted) {
    const bool by_header = target.authority.empty();
    if (by_header && header.hosts == 1 && header.host == accepted && !accepted.empty()) {
        return std::nullopt;
    }
    if (header.hosts > 1 || (header.hosts == 0 && !header.http_1_0)) {
        return refusal{.detail = "HTTP/1.1 asks for one Host header.", .field = "Host"};
    }
    if (!is_host(header.host)) {
        return refusal{.detail = "Host must be a host, with a port or without.", .field = "Host"};
    }
    if (!bounds.hosts.empty() &&
        !is_one_of(by_header ? header.host : target.authority, bounds.hosts)) {
        return refusal{.detail = "http.hosts does not name this host.", .field = "Host"};
    }
    if (by_header) accepted = header.host;
    return std::nullopt;
}

bool brings_json(verb method) {
    return method == verb::post || method == verb::patch;
}

/// What leaves the end of the request, or what comes after it, in doubt.
std::optional<refusal> check_framing(const header_parser& header, const limits& bounds) {
    if (header.transfer_encodings > 0) {
        if (header.content_lengths > 0 || header.transfer_encodings > 1) return two_lengths;
        if (header.http_1_0) {
            return refusal{.detail = "HTTP/1.0 has no Transfer-Encoding.",
                           .field = "Transfer-Encoding"};
        }
        if (!header.is_chunked) return refusal{.type = &problems::not_implemented};
        return std::nullopt;
    }
    if (brings_json(header.method) && header.content_lengths == 0) {
        return refusal{.type = &problems::length_required};
    }
    if (header.content_length().value_or(0) > bounds.body_bytes_max) {
        return refusal{.type = &problems::body_too_large};
    }
    return std::nullopt;
}

constexpr refusal no_key{
    .detail = "Idempotency-Key must be one value of 1 to 255 visible ASCII characters.",
    .field = "Idempotency-Key"};

constexpr refusal other_coding{.type = &problems::unsupported_media_type,
                               .detail = "A body must not be compressed.",
                               .field = "Content-Encoding"};
constexpr refusal no_json{.type = &problems::unsupported_media_type,
                          .detail = "A body needs one Content-Type: application/json, in UTF-8.",
                          .field = "Content-Type"};

/// A form of another origin's page can send a POST, but not as application/json.
bool says_json(const header_parser& header) {
    return header.content_types == 1 && is_json_in_utf8(header.content_type);
}

method method_of(verb known) {
    switch (known) {
        case verb::post:
            return method::post;
        case verb::get:
        case verb::head:
            return method::get;
        case verb::patch:
            return method::patch;
        case verb::delete_:
            return method::erase;
        case verb::options:
            return method::options;
        default:
            return method::other;
    }
}

}  // namespace

bool request_reader::read(std::string_view input, parsed_request& found) {
    found = {};
    if (chunks_ && chunks_->delivered) chunks_.reset();
    std::size_t blank = 0;
    // RFC 9112, section 2.2: some clients end a body with an empty line that it does not count.
    while (input.substr(blank).starts_with("\r\n"))
        blank += 2;
    input.remove_prefix(blank);
    found.bytes = blank;
    if (input.size() < bytes_wanted_ || input.empty() || input == "\r") return false;
    if (chunks_ && !chunks_->body.wants_nothing()) {
        chunks_->body.read(input.substr(chunks_->header_bytes));
        if (!chunks_->body.wants_nothing()) return false;
    }

    const std::string_view head = input.substr(0, bounds_->header_bytes_max);
    joined_.clear();
    header_parser header(head, bounds_->uri_bytes_max, found.incoming.headers, joined_);
    error_code ec;
    const std::size_t header_bytes = header.put({head.data(), head.size()}, ec);
    if (header.request_ids == 1 && is_request_name(header.request_id)) {
        found.incoming.name.taken = header.request_id;
    }
    if (ec == beast::http::error::need_more) {
        if (input.size() < bounds_->header_bytes_max) return false;
        refuse(found, input.size(),
               {.type = header.started ? &problems::headers_too_large : &problems::uri_too_long});
        return true;
    }
    const auto target = parse_target(header.target);
    auto why = ec        ? header.explain(ec)
               : !target ? refusal{.detail = "The request's target is malformed."}
                         : check_host(header, *target, *bounds_, accepted_host_);
    if (!why) why = check_framing(header, *bounds_);
    if (why) {
        refuse(found, input.size(), *why);
        return true;
    }

    const bool begun = bytes_wanted_ != 0 || chunks_ != nullptr;
    const auto taken = take_body(
        input, header_bytes,
        header.is_chunked ? std::nullopt : std::optional(header.content_length().value_or(0)),
        found);
    if (!taken) {
        refuse(found, input.size(), taken.error());
        return true;
    }
    if (!*taken) {
        if (!begun) continue_wanted_ = header.expects_continue && !header.http_1_0;
        return false;
    }
    continue_wanted_ = false;

    found.keep_alive = header.keep_alive();
    found.http_1_0 = header.http_1_0;
    found.head_only = header.method == verb::head;
    // What can be refused with the connection still in order.
    if (header.has_other_coding) {
        found.refused = other_coding;
    } else if (brings_json(header.method) && !says_json(header)) {
        found.refused = no_json;
    }
    request& incoming = found.incoming;
    incoming.verb = method_of(header.method);
    incoming.path = target->path;
    incoming.query = target->query;
    if (!header.repeated.empty() && !found.refused) {
        found.refused = refusal{.detail = "This header may come once.", .field = header.repeated};
    }
    if (header.idempotency_keys != 0 && !found.refused) {
        const auto key = header.idempotency_keys == 1
                             ? idempotency_key_in(header.idempotency_key, unescaped_key_)
                             : std::nullopt;
        key ? void(incoming.idempotency_key = *key) : void(found.refused = no_key);
    }
    return true;
}

/// True once all of the body is there; it has a length, or comes in chunks.
std::expected<bool, refusal> request_reader::take_body(std::string_view input,
                                                       std::size_t header_bytes,
                                                       std::optional<std::uint64_t> length,
                                                       parsed_request& found) {
    if (length) {
        const std::size_t bytes = header_bytes + static_cast<std::size_t>(*length);
        bytes_wanted_ = input.size() < bytes ? bytes : 0;
        if (bytes_wanted_ != 0) return false;
        found.bytes += bytes;
        found.incoming.body = input.substr(header_bytes, static_cast<std::size_t>(*length));
        return true;
    }
    if (!chunks_) {
        chunks_ = std::make_unique<chunks>(
            header_bytes, chunked_body(bounds_->body_bytes_max, bounds_->header_bytes_max));
        chunks_->body.read(input.substr(header_bytes));
    }
    switch (chunks_->body.now()) {
        case chunked_body::state::incomplete:
            return false;
        case chunked_body::state::complete:
            break;
        case chunked_body::state::malformed:
            return std::unexpected(refusal{.detail = "A chunk of the body is malformed.",
                                           .field = "Transfer-Encoding"});
        case chunked_body::state::too_large:
            return std::unexpected(refusal{.type = &problems::body_too_large});
        case chunked_body::state::trailers_too_large:
            return std::unexpected(refusal{.type = &problems::headers_too_large});
    }
    found.bytes += header_bytes + chunks_->body.bytes();
    found.incoming.body = chunks_->body.body();
    chunks_->delivered = true;
    return true;
}

void request_reader::release_memory() {
    chunks_.reset();
    unescaped_key_ = {};
    joined_ = joined_lists();
    accepted_host_ = {};
}

void request_reader::refuse(parsed_request& found, std::size_t bytes, refusal why) {
    bytes_wanted_ = 0;
    continue_wanted_ = false;
    chunks_.reset();
    found.refused = why;
    found.bytes += bytes;
    found.keep_alive = false;
}

}  // namespace flashsale::http
