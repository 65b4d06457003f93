#pragma once

// What any route may answer: the protocol's errors, and those of the contract that all routes share
// (limits, dependencies, repeats under an Idempotency-Key). Those of a business are declared by its
// own module.

#include "flashsale/http/problem_type.hpp"

namespace flashsale::http {

namespace problems {

inline constexpr problem_type bad_request{400, "bad_request", "The request is not valid",
                                          "The request could not be understood."};
inline constexpr problem_type malformed_json{400, "malformed_json", "The body is not valid JSON",
                                             "The body must be one JSON value."};
inline constexpr problem_type not_found{404, "not_found", "No such resource",
                                        "Nothing is at this path."};
inline constexpr problem_type method_not_allowed{
    405, "method_not_allowed", "Method not allowed",
    "The Allow header names the methods of this resource."};
inline constexpr problem_type request_timeout{408, "request_timeout", "The request took too long",
                                              "The request did not arrive completely in time."};
inline constexpr problem_type length_required{
    411, "length_required", "Content-Length is required",
    "A POST or PATCH must state the length of its body, or send it in chunks."};
inline constexpr problem_type revision_changed{
    412, "revision_changed", "It was changed meanwhile",
    "If-Match names another revision than the one that is there."};
inline constexpr problem_type body_too_large{413, "body_too_large", "The body is too large",
                                             "The body is longer than this server accepts."};
inline constexpr problem_type uri_too_long{
    414, "uri_too_long", "The request target is too long",
    "The request target is longer than this server accepts."};
inline constexpr problem_type unsupported_media_type{
    415, "unsupported_media_type", "Unsupported media type",
    "A POST or PATCH needs one Content-Type, and it must be application/json."};
inline constexpr problem_type idempotency_key_reused{
    422, "idempotency_key_reused", "The idempotency key was used for another request",
    "The same key came before with different values."};
inline constexpr problem_type if_match_required{
    428, "if_match_required", "If-Match is required",
    "A change says in If-Match of which revision it is: the ETag of what was read, or *."};
inline constexpr problem_type headers_too_large{
    431, "headers_too_large", "The header is too large",
    "The header block is longer than this server accepts."};
inline constexpr problem_type internal{500, "internal", "Internal error",
                                       "The server failed to answer this request."};
inline constexpr problem_type not_implemented{501, "not_implemented", "Not implemented",
                                              "No Transfer-Encoding but chunked is supported."};
inline constexpr problem_type overloaded{503, "overloaded", "Overloaded",
                                         "The server is at one of its limits. Try again."};
inline constexpr problem_type dependency_unavailable{
    503, "dependency_unavailable", "A dependency is unavailable",
    "A server that this one needs does not answer. Try again."};
inline constexpr problem_type outcome_unknown{
    503, "outcome_unknown", "The outcome is unknown",
    "The request may have taken effect. Try again with the same Idempotency-Key."};
inline constexpr problem_type version_not_supported{505, "version_not_supported",
                                                    "HTTP version not supported", "Use HTTP/1.1."};

}  // namespace problems

/// All of these.
problem_list protocol_problems();

}  // namespace flashsale::http
