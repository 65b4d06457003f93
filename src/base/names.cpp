#include <flashsale/base/names.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <vector>

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace flashsale {

namespace {

constexpr UChar32 space = 0x20;
constexpr UChar32 zero_width_non_joiner = 0x200c;
constexpr UChar32 zero_width_joiner = 0x200d;
constexpr UChar32 text_style = 0xfe0e;
constexpr UChar32 emoji_style = 0xfe0f;
constexpr UChar32 keycap = 0x20e3;
constexpr UChar32 braille_blank = 0x2800;
constexpr std::uint8_t virama = 9;

/// A database's index takes no longer keys; some characters become eighteen.
constexpr std::size_t compared_bytes_max = 1'600;

/// What is no UTF-8 becomes U_SENTINEL.
std::vector<UChar32> code_points(std::string_view text) {
    std::vector<UChar32> out;
    const auto length = static_cast<std::int32_t>(text.size());
    for (std::int32_t at = 0; at < length;) {
        UChar32 point = 0;
        U8_NEXT(text.data(), at, length, point);
        out.push_back(point);
    }
    return out;
}

bool has(UChar32 point, UProperty property) {
    return u_hasBinaryProperty(point, property);
}

/// Around places[at], in the text's order.
class neighbours {
public:
    neighbours(std::span<const UChar32> of, std::size_t at)
        : before_(of.first(at)), after_(of.subspan(at + 1)) {}

    UChar32 before() const { return before_.empty() ? U_SENTINEL : before_.back(); }
    UChar32 after() const { return after_.empty() ? U_SENTINEL : after_.front(); }

    bool follow_virama() const {
        return before() != U_SENTINEL && u_getCombiningClass(before()) == virama;
    }

    /// A person, their skin, a tool: one picture.
    bool join_pictures() const {
        auto left = before_;
        while (!left.empty() &&
               (left.back() == emoji_style || has(left.back(), UCHAR_EMOJI_MODIFIER)))
            left = left.first(left.size() - 1);
        return !left.empty() && has(left.back(), UCHAR_EXTENDED_PICTOGRAPHIC) &&
               after() != U_SENTINEL && has(after(), UCHAR_EXTENDED_PICTOGRAPHIC);
    }

    /// Letters that would join without it, in Persian for one.
    bool are_joining_letters() const {
        const auto type_of = [](UChar32 point) {
            return u_getIntPropertyValue(point, UCHAR_JOINING_TYPE);
        };
        const auto is_transparent = [&](UChar32 point) {
            return type_of(point) == U_JT_TRANSPARENT;
        };
        const auto left = std::find_if_not(before_.rbegin(), before_.rend(), is_transparent);
        const auto right = std::find_if_not(after_.begin(), after_.end(), is_transparent);
        if (left == before_.rend() || right == after_.end()) return false;
        return (type_of(*left) == U_JT_LEFT_JOINING || type_of(*left) == U_JT_DUAL_JOINING) &&
               (type_of(*right) == U_JT_RIGHT_JOINING || type_of(*right) == U_JT_DUAL_JOINING);
    }

private:
    std::span<const UChar32> before_, after_;
};

/// Not seen itself, but in what is beside it.
bool shapes_its_neighbours(UChar32 point, const neighbours& beside) {
    switch (point) {
        case zero_width_joiner:
            return beside.follow_virama() || beside.join_pictures();
        case zero_width_non_joiner:
            return beside.follow_virama() || beside.are_joining_letters();
        case text_style:
        case emoji_style:
            // Digits are emoji too, but only as keycaps.
            return beside.before() != U_SENTINEL && has(beside.before(), UCHAR_EMOJI) &&
                   (beside.before() >= 0x80 || beside.after() == keycap);
        default:
            return false;
    }
}

/// Why a name of any kind cannot have this; "" if it can.
std::string_view fault_of(UChar32 point, const neighbours& beside, bool is_compared) {
    if (point < 0) return "is no UTF-8";
    if (U_IS_UNICODE_NONCHAR(point)) return "is no character";
    switch (u_charType(point)) {
        case U_UNASSIGNED:
            return "is not assigned";
        case U_PRIVATE_USE_CHAR:
            return "is for private use";
        case U_SURROGATE:
            return "is half a character";
        case U_CONTROL_CHAR:
            return "is a control character";
        case U_LINE_SEPARATOR:
        case U_PARAGRAPH_SEPARATOR:
            return "ends a line";
        default:
            break;
    }
    if (has(point, UCHAR_BIDI_CONTROL)) return "changes the direction of text";
    const bool is_invisible =
        has(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || point == braille_blank ||
        (u_charType(point) == U_FORMAT_CHAR && !has(point, UCHAR_PREPENDED_CONCATENATION_MARK));
    if (is_invisible && (is_compared || !shapes_its_neighbours(point, beside)))
        return "is invisible";
    if (is_compared && point != space && u_isUWhiteSpace(point)) return "is not the usual space";
    return {};
}

/// `, U+200B,`; of what is no UTF-8 nothing.
std::string number_of(UChar32 point) {
    if (point < 0) return {};
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), ", U+%04X,", static_cast<unsigned>(point));
    return text.data();
}

/// Needs something that it stands on.
bool is_mark(UChar32 point) {
    return (U_GET_GC_MASK(point) & U_GC_M_MASK) != 0;
}

}  // namespace

std::optional<std::string> fault_of_name(std::string_view text, const name_rules& rules) {
    const auto refuse = [&](std::string_view found) {
        return "1 to " + std::to_string(rules.characters_max) +
               " characters that can be seen, no white space at the ends; " + std::string(found);
    };
    const auto points = code_points(text);
    if (points.empty()) return refuse("it is empty");
    if (points.size() > rules.characters_max)
        return refuse("it has " + std::to_string(points.size()) + " characters");
    for (std::size_t i = 0; i < points.size(); ++i) {
        const auto why = fault_of(points[i], neighbours(points, i), rules.is_compared);
        if (why.empty()) continue;
        return refuse("character " + std::to_string(i + 1) + number_of(points[i]) + " " +
                      std::string(why));
    }
    const auto is_nothing = [](UChar32 one) { return u_isUWhiteSpace(one) || is_mark(one); };
    if (std::ranges::all_of(points, is_nothing)) return refuse("it is blank");
    if (u_isUWhiteSpace(points.front())) return refuse("it begins with white space");
    if (u_isUWhiteSpace(points.back())) return refuse("it ends with white space");
    if (rules.is_compared && compared_form(text).size() > compared_bytes_max)
        return refuse("it is too long in the form in which names are compared");
    return std::nullopt;
}

std::string compared_form(std::string_view username) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* folding = icu::Normalizer2::getNFKCCasefoldInstance(status);
    std::string out;
    if (U_SUCCESS(status)) {
        icu::StringByteSink<std::string> sink(&out);
        const icu::StringPiece from(username.data(), static_cast<std::int32_t>(username.size()));
        folding->normalizeUTF8(0, from, sink, nullptr, status);
    }
    if (U_FAILURE(status))
        throw std::runtime_error(std::string("ICU cannot fold a name: ") + u_errorName(status));
    const auto both_spaces = [](char a, char b) { return a == ' ' && b == ' '; };
    out.erase(std::ranges::unique(out, both_spaces).begin(), out.end());
    return out;
}

}  // namespace flashsale
