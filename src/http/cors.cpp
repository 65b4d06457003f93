#include "cors.hpp"

#include "allowed_methods.hpp"
#include "characters.hpp"

namespace flashsale::http {

namespace {

/// What a page's script may read beside the body and the few that it always may.
constexpr std::string_view exposed =
    "Access-Control-Expose-Headers: Allow, Complete-Until, ETag, Idempotency-Key, "
    "Idempotent-Replayed, Location, Retry-After, X-Request-Id\r\n";

/// What of a request has a meaning here and needs a preflight; ten minutes, so that a route that is
/// gone is not asked for all day.
constexpr std::string_view preflight_end =
    "\r\nAccess-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, If-Match, "
    "If-None-Match, Last-Event-ID, X-Request-Id\r\n"
    "Access-Control-Max-Age: 600\r\n"
    "Vary: Access-Control-Request-Method, Access-Control-Request-Headers\r\n";

std::string lines_for(std::string_view origin, std::string_view vary) {
    std::string out = "Access-Control-Allow-Origin: ";
    return out.append(origin).append("\r\n").append(exposed).append(vary);
}

constexpr std::string_view vary = "Vary: Origin\r\n";

}  // namespace

cors_policy::cors_policy(const std::vector<std::string>& origins)
    : used_(!origins.empty()), everybody_(used_ && origins.front() == "*") {
    // An answer without Vary would be kept by a cache for another origin's page.
    others_ = everybody_ ? lines_for("*", {}) : std::string(vary);
    if (everybody_) return;
    for (const std::string& origin : origins)
        known_.push_back({origin, lines_for(origin, vary)});
}

cors_policy::verdict cors_policy::of(std::string_view origin) const {
    for (const known& one : known_) {
        if (one.origin == origin) return {&one.lines, true};
    }
    return {&others_, everybody_ && !origin.empty()};
}

std::string_view preflight_lines(unsigned methods) {
    static const auto all = [] {
        std::array<std::string, method_sets> made;
        for (unsigned set = 0; set < method_sets; ++set) {
            made[set].append("Access-Control-Allow-Methods: ").append(allowed_methods(set));
            made[set].append(preflight_end);
        }
        return made;
    }();
    return all[methods];
}

bool is_origin(std::string_view text) {
    const auto colon = text.find("://");
    if (colon == std::string_view::npos || colon == 0) return false;
    const std::string_view scheme = text.substr(0, colon);
    const std::string_view host = text.substr(colon + 3);
    const auto is_lower = [](char c) { return c < 'A' || c > 'Z'; };
    const auto in_scheme = [](char c) {
        return is_letter_or_digit(c) || c == '+' || c == '-' || c == '.';
    };
    if (!std::ranges::all_of(scheme, in_scheme) || is_digit(scheme.front())) return false;
    // Of what a host may have, what browsers leave as it is.
    const auto in_host = [](char c) {
        return is_letter_or_digit(c) ||
               std::string_view("-._:[]").find(c) != std::string_view::npos;
    };
    if (host.empty() || !is_host(host) || !std::ranges::all_of(host, in_host)) return false;
    if (!std::ranges::all_of(text, is_lower)) return false;
    // A browser leaves the scheme's own port out, and never ends with a colon.
    if (host.ends_with(':')) return false;
    return !(scheme == "https" && host.ends_with(":443")) &&
           !(scheme == "http" && host.ends_with(":80"));
}

}  // namespace flashsale::http
