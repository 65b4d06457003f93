#pragma once

// Names that people give to users and products, as Unicode sees them: what they may be made of, and
// when two are the same. Any thread.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace flashsale {

/// What a name is for. Neither kind has characters that cannot be seen, that turn the direction of
/// the text around them, or that mean nothing (RFC 8264 disallows them all), nor white space at an
/// end, nor a line end.
struct name_rules {
    std::size_t characters_max;  ///< code points
    /// Compared with others, so that what cannot be told apart must not be different: no spaces but
    /// U+0020, and no invisible character for whatever purpose. Else those pass that shape what is
    /// beside them: in emoji sequences, and the joiners where RFC 5892 (A.1, A.2) has them.
    bool is_compared;
};

inline constexpr name_rules username_rules{.characters_max = 100, .is_compared = true};
inline constexpr name_rules product_name_rules{.characters_max = 200, .is_compared = false};

/// What was expected of `text` (UTF-8) and where it is not so; nullopt: all is well. The version of
/// Unicode is the library's: what came later is unassigned.
std::optional<std::string> fault_of_name(std::string_view text, const name_rules& rules);

/// What two usernames have in common that are one: the case-folded form in NFKC, runs of spaces as
/// one space. After RFC 8265 (UsernameCaseMapped) and RFC 8266. Look at the name first: folding
/// takes invisible characters out.
std::string compared_form(std::string_view username);

}  // namespace flashsale
