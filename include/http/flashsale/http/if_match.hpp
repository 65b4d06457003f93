#pragma once

// Which revision a change is made of: RFC 9110, section 13.1.1.

#include <cstdint>
#include <expected>
#include <optional>

#include <flashsale/http.hpp>

namespace flashsale::http {

/// Of If-Match: the revision in the one tag that it has, which an answer's ETag had; nullopt: `*`,
/// whatever is there. What is no tag of ours is of no revision that can be there: 0. The error is
/// the answer where there is no If-Match (428), or it is no list of tags or one of several (400).
std::expected<std::optional<std::int64_t>, response> revision_in_if_match(const request& asked);

}  // namespace flashsale::http
