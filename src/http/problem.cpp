// Under a sold-out sale nearly every answer is a problem, and most are the prepared document.

#include <flashsale/base/json_fields.hpp>

#include <flashsale/http.hpp>

namespace flashsale::http {

namespace {

using namespace problems;

constexpr const problem_type* protocol[]{&bad_request,
                                         &malformed_json,
                                         &not_found,
                                         &method_not_allowed,
                                         &request_timeout,
                                         &length_required,
                                         &revision_changed,
                                         &body_too_large,
                                         &uri_too_long,
                                         &unsupported_media_type,
                                         &idempotency_key_reused,
                                         &if_match_required,
                                         &headers_too_large,
                                         &internal,
                                         &not_implemented,
                                         &overloaded,
                                         &dependency_unavailable,
                                         &outcome_unknown,
                                         &version_not_supported};

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

}  // namespace

problem_list protocol_problems() {
    return protocol;
}

response problem(const problem_type& type, std::string_view detail, std::string_view field) {
    response made{
        .status = type.status(), .is_problem = true, .retry_after_s = type.retry_after_s()};
    if (detail.empty() && field.empty()) {
        made.literal_body = type.open_document();
        return made;
    }
    std::string& body = made.body;
    body.reserve(type.open_document().size() + detail.size() + 2 * echo_bytes_max + 64);
    body.append(type.start_of_document());
    append_json_string(body, detail.empty() ? type.detail() : detail);
    if (!field.empty()) {
        body.append(R"(,"field":)");
        append_json_string(body, echo_of(field));
    }
    return made;
}

response problem_with(const problem_type& type, std::string_view members) {
    response made = problem(type);
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
