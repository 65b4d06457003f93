#include "caching.hpp"

#include <charconv>
#include <flashsale/base/sha256.hpp>

namespace flashsale::http {

namespace {

/// The same on all processes, and never 0.
std::uint64_t tag_of(std::string_view body) {
    const std::string digest = sha256_hex(body);
    std::uint64_t tag = 0;
    std::from_chars(digest.data(), digest.data() + 16, tag, 16);
    return tag != 0 ? tag : 1;
}

bool names(std::string_view if_none_match, const response& answer) {
    if (if_none_match == "*") return true;
    // A tag has no quotes inside, so ours between quotes is one of the list, weak or not.
    return if_none_match.find(quoted_tag(answer.etag, answer.revision)) != std::string_view::npos;
}

}  // namespace

std::string quoted_tag(std::uint64_t tag, std::int64_t revision) {
    std::array<char, 40> text;  // NOLINT(*-member-init)
    char* end = text.data();
    char* const most = text.data() + text.size();
    *end++ = '"';
    if (revision != 0) {
        *end++ = 'r';
        end = std::to_chars(end, most, revision).ptr;
        if (tag != 0) *end++ = '.';
    }
    if (tag != 0) end = std::to_chars(end, most, tag, 16).ptr;
    *end++ = '"';
    return {text.data(), end};
}

void make_cacheable(response& answer, std::string_view cache_control,
                    std::string_view if_none_match) {
    if (answer.status != 200 || answer.stream) return;
    answer.cache_control = cache_control;
    answer.etag = tag_of(answer.body);
    if (if_none_match.empty() || !names(if_none_match, answer)) return;
    answer.status = 304;
    answer.body.clear();
}

}  // namespace flashsale::http
