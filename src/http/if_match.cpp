#include <flashsale/http/if_match.hpp>

#include <charconv>

namespace flashsale::http {

std::expected<std::optional<std::int64_t>, response> revision_in_if_match(const request& asked) {
    if (!asked.headers.has(header::if_match))
        return std::unexpected(problem(problems::if_match_required));
    std::string_view text = asked.headers[header::if_match];
    if (text == "*") return std::nullopt;
    const bool one =
        text.size() >= 2 && text.front() == '"' && text.find('"', 1) == text.size() - 1;
    if (!one && !text.starts_with("W/"))
        return std::unexpected(problem({"If-Match", "one ETag, in its quotes, or *"}));
    if (!text.starts_with("\"r")) return 0;
    text.remove_prefix(2);
    std::int64_t revision = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
    if (error != std::errc{} || revision < 1 || (*end != '.' && *end != '"')) return 0;
    return revision;
}

}  // namespace flashsale::http
