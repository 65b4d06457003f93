#pragma once

#include <flashsale/http.hpp>

namespace flashsale::http {

/// Of a 200 that caches may keep: its Cache-Control, and an ETag made of its body. It becomes a 304
/// if `if_none_match`, the request's field, has that tag (RFC 9110, section 13.1.2).
void make_cacheable(response& answer, std::string_view cache_control,
                    std::string_view if_none_match);

/// As it stands in ETag: `"r7.1f2e"`, of revision 7; `"1f2e"` where that is 0, `"r7"` without tag.
std::string quoted_tag(std::uint64_t tag, std::int64_t revision = 0);

}  // namespace flashsale::http
