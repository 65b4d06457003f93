// The errors as the client sees them (RFC 9457). Under a sold-out sale nearly every answer is one
// of these, so all of a document but its request_id is made once per code, and the answer only
// points to it.

#include <flashsale/base/json_fields.hpp>

#include "problem_table.hpp"

namespace flashsale::http {

namespace {

using enum problem_code;

constexpr std::array rows{
    problem_row{bad_request, 400, "bad_request", "The request is not valid",
                "The request could not be understood."},
    problem_row{malformed_json, 400, "malformed_json", "The body is not valid JSON",
                "The body must be one JSON value."},
    problem_row{out_of_stock, 400, "out_of_stock", "Out of stock",
                "Fewer units are left than were asked for."},
    problem_row{not_found, 404, "not_found", "No such resource", "Nothing is at this path."},
    problem_row{user_not_found, 404, "user_not_found", "No such user", "No user has this id."},
    problem_row{product_not_found, 404, "product_not_found", "No such product",
                "No product has this id."},
    problem_row{order_not_found, 404, "order_not_found", "No such order", "No order has this id."},
    problem_row{method_not_allowed, 405, "method_not_allowed", "Method not allowed",
                "The Allow header names the methods of this resource."},
    problem_row{request_timeout, 408, "request_timeout", "The request took too long",
                "The request did not arrive completely in time."},
    problem_row{username_taken, 409, "username_taken", "The user name is taken",
                "Another user has this name."},
    problem_row{high_traffic, 409, "high_traffic", "High traffic",
                "Too many others changed this product at the same time. Try again."},
    problem_row{purchase_limit, 409, "purchase_limit", "Purchase limit reached",
                "The order would exceed what one user may buy of this product."},
    problem_row{sale_not_open, 409, "sale_not_open", "The sale is not open",
                "The sale of this product has not begun or is over."},
    problem_row{length_required, 411, "length_required", "Content-Length is required",
                "A POST or PATCH must state the length of its body, or send it in chunks."},
    problem_row{body_too_large, 413, "body_too_large", "The body is too large",
                "The body is longer than this server accepts."},
    problem_row{uri_too_long, 414, "uri_too_long", "The request target is too long",
                "The request target is longer than this server accepts."},
    problem_row{unsupported_media_type, 415, "unsupported_media_type", "Unsupported media type",
                "A POST or PATCH needs one Content-Type, and it must be application/json."},
    problem_row{idempotency_key_reused, 422, "idempotency_key_reused",
                "The idempotency key was used for another request",
                "The same key came before with different values."},
    problem_row{headers_too_large, 431, "headers_too_large", "The header is too large",
                "The header block is longer than this server accepts."},
    problem_row{internal, 500, "internal", "Internal error",
                "The server failed to answer this request."},
    problem_row{not_implemented, 501, "not_implemented", "Not implemented",
                "No Transfer-Encoding but chunked is supported."},
    problem_row{overloaded, 503, "overloaded", "Overloaded",
                "The server is at one of its limits. Try again."},
    problem_row{reopening, 503, "reopening", "The sale is not open for now",
                "What is left cannot be trusted until it is reopened from the record. Try again."},
    problem_row{dependency_unavailable, 503, "dependency_unavailable",
                "A dependency is unavailable",
                "A server that this one needs does not answer. Try again."},
    problem_row{outcome_unknown, 503, "outcome_unknown", "The outcome is unknown",
                "The request may have taken effect. Try again with the same Idempotency-Key."},
    problem_row{version_not_supported, 505, "version_not_supported", "HTTP version not supported",
                "Use HTTP/1.1."},
};

constexpr bool in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].code != problem_code{static_cast<int>(i)}) return false;
    }
    return rows.back().code == version_not_supported;
}
static_assert(in_order());

const problem_row& row_of(problem_code code) {
    return rows[static_cast<std::size_t>(code)];
}

/// A document in pieces.
struct prepared {
    std::string start;  ///< up to and with `"detail":`
    std::string open;   ///< the whole document with the default detail, but for its request_id
};

const std::array<prepared, rows.size()>& prepared_documents() {
    static const auto all = [] {
        std::array<prepared, rows.size()> made;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            std::string& start = made[i].start;
            start.append(R"({"type":"urn:flashsale:problem:)").append(rows[i].name);
            start.append(R"(","title":)");
            append_json_string(start, rows[i].title);
            start.append(R"(,"status":)").append(std::to_string(rows[i].status));
            start.append(R"(,"code":")").append(rows[i].name).append(R"(","detail":)");
            made[i].open = start;
            append_json_string(made[i].open, rows[i].detail);
        }
        return made;
    }();
    return all;
}

/// Of what was sent, no more than this is sent back.
constexpr std::size_t echo_bytes_max = 64;

/// So many whole characters of `sent` that they take no more than that in the answer.
std::string_view echo_of(std::string_view sent) {
    std::size_t taken = 0;
    for (std::size_t shown = 0; taken < sent.size();) {
        const std::size_t bytes = utf8_character_bytes(sent.substr(taken));
        shown += bytes != 0 ? bytes : utf8_replacement.size();
        if (shown > echo_bytes_max) break;
        taken += bytes != 0 ? bytes : 1;
    }
    return sent.substr(0, taken);
}

unsigned retry_after_of(problem_code code) {
    if (row_of(code).status != 503) return 0;
    return code == reopening ? 2 : 1;
}

}  // namespace

std::span<const problem_row> problem_table() {
    return rows;
}

unsigned status_of(problem_code code) {
    return row_of(code).status;
}

std::string_view name_of(problem_code code) {
    return row_of(code).name;
}

response problem(problem_code code, std::string_view detail, std::string_view field) {
    const prepared& document = prepared_documents()[static_cast<std::size_t>(code)];
    response made{
        .status = row_of(code).status, .is_problem = true, .retry_after_s = retry_after_of(code)};
    if (detail.empty() && field.empty()) {
        made.literal_body = document.open;
        return made;
    }
    std::string& body = made.body;
    body.reserve(document.open.size() + detail.size() + 2 * echo_bytes_max + 64);
    body.append(document.start);
    append_json_string(body, detail.empty() ? row_of(code).detail : detail);
    if (!field.empty()) {
        body.append(R"(,"field":)");
        append_json_string(body, echo_of(field));
    }
    return made;
}

response problem_with(problem_code code, std::string_view members) {
    response made = problem(code);
    made.body.reserve(made.literal_body.size() + members.size());
    made.body.append(made.literal_body).append(members);
    made.literal_body = {};
    return made;
}

response repeat_of(const response& made) {
    return {.status = made.status,
            .literal_body = made.body,
            .is_problem = made.is_problem,
            .retry_after_s = made.retry_after_s};
}

response problem(const field_fault& fault) {
    const std::string_view field = echo_of(fault.field);
    return problem(bad_request, std::string(field) + ": " + fault.expected, field);
}

}  // namespace flashsale::http
