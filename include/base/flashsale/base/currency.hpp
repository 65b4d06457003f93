#pragma once

// Currencies by their ISO 4217 codes, and prices with their payment windows as one word. An amount
// is in the currency's minor units; how many of them make a major one is the reader's to know.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flashsale {

/// Three letters from A to Z; or none: the deployment's currency, whichever that is.
class currency_code {
public:
    constexpr currency_code() = default;
    /// nullopt: neither empty nor three such letters. Whether the code is in use is_currency()
    /// says.
    static constexpr std::optional<currency_code> parse(std::string_view text) {
        currency_code out;
        if (text.empty()) return out;
        if (text.size() != out.letters_.size()) return std::nullopt;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] < 'A' || text[i] > 'Z') return std::nullopt;
            out.letters_[i] = text[i];
        }
        return out;
    }

    /// As a database keeps it, which was given it by text(); none of anything else.
    static constexpr currency_code of_record(std::string_view text) {
        return parse(text).value_or(currency_code{});
    }

    constexpr bool is_none() const { return letters_[0] == 0; }
    constexpr std::string_view text() const {
        return {letters_.data(), is_none() ? 0 : letters_.size()};
    }
    constexpr currency_code or_else(currency_code other) const { return is_none() ? other : *this; }

    friend constexpr bool operator==(currency_code, currency_code) = default;

private:
    std::array<char, 3> letters_{};
};

/// Whether ISO 4217 has it for money of today, as far as ICU knows.
bool is_currency(std::string_view code);

/// Longest time that units are held for payment, in seconds: a week.
inline constexpr std::uint32_t payment_window_max_s = 604'800;

/// `1999`, or `1999USD` where it has a currency of its own; `1999+300` or `1999USD+300` where the
/// units are held for so many seconds until they are paid for (0: they are sold outright). What the
/// gates keep, and never look at.
void append_price(std::string& out, std::int64_t amount, currency_code currency,
                  std::uint32_t payment_window_s);
/// False: it is no price of at least 0.
bool read_price(std::string_view word, std::int64_t& amount, currency_code& currency,
                std::uint32_t& payment_window_s);

}  // namespace flashsale
