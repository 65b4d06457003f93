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

bool names(std::string_view if_none_match, std::uint64_t tag) {
    if (if_none_match == "*") return true;
    // A tag has no quotes inside, so ours between quotes is one of the list, weak or not.
    return if_none_match.find(quoted_tag(tag)) != std::string_view::npos;
}

}  // namespace

std::string quoted_tag(std::uint64_t tag) {
    std::array<char, 18> text;  // NOLINT(*-member-init)
    text[0] = '"';
    char* const end = std::to_chars(text.data() + 1, text.data() + 17, tag, 16).ptr;
    *end = '"';
    return {text.data(), end + 1};
}

void make_cacheable(response& answer, std::string_view cache_control,
                    std::string_view if_none_match) {
    if (answer.status != 200 || answer.stream) return;
    answer.cache_control = cache_control;
    answer.etag = tag_of(answer.body);
    if (if_none_match.empty() || !names(if_none_match, answer.etag)) return;
    answer.status = 304;
    answer.body.clear();
}

}  // namespace flashsale::http
