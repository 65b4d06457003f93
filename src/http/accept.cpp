#include "accept.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <optional>
#include <vector>

#include "characters.hpp"

namespace flashsale::http {

namespace {

bool iequals(std::string_view one, std::string_view other) {
    return boost::beast::iequals({one.data(), one.size()}, {other.data(), other.size()});
}

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Up to the next `separator` outside of quotes, which is taken off `text` too.
std::string_view take_until(std::string_view& text, char separator) {
    bool quoted = false;
    std::size_t at = 0;
    for (; at < text.size() && (quoted || text[at] != separator); ++at) {
        if (text[at] == '"') quoted = !quoted;
        if (quoted && text[at] == '\\') ++at;
    }
    at = std::min(at, text.size());
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return trimmed(taken);
}

/// In thousandths. nullopt: no qvalue.
std::optional<int> parse_weight(std::string_view text) {
    if (text.empty() || text.size() > 5 || text[0] < '0' || text[0] > '1') return std::nullopt;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    int thousandths = (text[0] - '0') * 1'000;
    int digit = 100;
    for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (!is_digit(c)) return std::nullopt;
        thousandths += (c - '0') * digit;
        digit /= 10;
    }
    return thousandths <= 1'000 ? std::optional(thousandths) : std::nullopt;
}

struct media_range {
    std::string_view type;
    std::string_view subtype;
    int weight = 1'000;

    /// How closely it names `offer`, which is `type/subtype`; 0: not at all.
    int match(std::string_view offer) const {
        const auto slash = offer.find('/');
        if (type == "*") return 1;
        if (!iequals(type, offer.substr(0, slash))) return 0;
        if (subtype == "*") return 2;
        return iequals(subtype, offer.substr(slash + 1)) ? 3 : 0;
    }
};

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_character);
}

/// Parameters but the weight are passed over: what we offer has none to choose by.
std::optional<media_range> parse_range(std::string_view text) {
    const std::string_view name = take_until(text, ';');
    const auto slash = name.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    media_range range{.type = name.substr(0, slash), .subtype = name.substr(slash + 1)};
    if (!is_token(range.type) || !is_token(range.subtype)) return std::nullopt;
    if (range.type == "*" && range.subtype != "*") return std::nullopt;
    while (!text.empty()) {
        const std::string_view parameter = take_until(text, ';');
        if (!iequals(parameter.substr(0, 2), "q=")) continue;
        const auto weight = parse_weight(parameter.substr(2));
        if (!weight) return std::nullopt;
        range.weight = *weight;
    }
    return range;
}

/// By the closest of the ranges, as one says `text/*, text/csv;q=0`.
int weight_of(std::string_view offer, std::span<const media_range> ranges) {
    int closest = 0;
    int weight = 0;
    for (const media_range& range : ranges) {
        const int match = range.match(offer);
        if (match == 0 || match < closest) continue;
        weight = match > closest ? range.weight : std::max(weight, range.weight);
        closest = match;
    }
    return weight;
}

}  // namespace

std::string_view preferred_type(std::string_view accept, std::span<const std::string_view> offers) {
    std::vector<media_range> ranges;
    while (!accept.empty()) {
        if (const auto range = parse_range(take_until(accept, ','))) ranges.push_back(*range);
    }
    std::string_view best = offers.front();
    int best_weight = weight_of(best, ranges);
    for (const std::string_view offer : offers.subspan(1)) {
        const int weight = weight_of(offer, ranges);
        if (weight <= best_weight) continue;
        best = offer;
        best_weight = weight;
    }
    return best;
}

}  // namespace flashsale::http
