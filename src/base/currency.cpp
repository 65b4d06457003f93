#include <flashsale/base/currency.hpp>

#include <charconv>
#include <memory>

#include <unicode/ucurr.h>
#include <unicode/uenum.h>

#include <flashsale/base/json_fields.hpp>

namespace flashsale {

bool is_currency(std::string_view code) {
    UErrorCode status = U_ZERO_ERROR;
    // Neither withdrawn ones nor funds, metals and test codes.
    const std::unique_ptr<UEnumeration, decltype(&uenum_close)> all(
        ucurr_openISOCurrencies(UCURR_COMMON | UCURR_NON_DEPRECATED, &status), &uenum_close);
    while (U_SUCCESS(status)) {
        const char* one = uenum_next(all.get(), nullptr, &status);
        if (one == nullptr) return false;
        if (one == code) return true;
    }
    return false;
}

void append_price(std::string& out, std::int64_t amount, currency_code currency,
                  std::uint32_t payment_window_s) {
    append_integer(out, amount);
    out.append(currency.text());
    if (payment_window_s == 0) return;
    out.push_back('+');
    append_integer(out, std::int64_t{payment_window_s});
}

bool read_price(std::string_view word, std::int64_t& amount, currency_code& currency,
                std::uint32_t& payment_window_s) {
    const char* const end_of_word = word.data() + word.size();
    const auto [end, fault] = std::from_chars(word.data(), end_of_word, amount);
    if (fault != std::errc{} || amount < 0 || word.front() == '-') return false;
    std::string_view rest(end, end_of_word);
    const auto plus = rest.find('+');
    payment_window_s = 0;
    if (plus != std::string_view::npos) {
        const auto digits = rest.substr(plus + 1);
        const auto read =
            std::from_chars(digits.data(), digits.data() + digits.size(), payment_window_s);
        if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() ||
            digits.front() == '0' || payment_window_s > payment_window_max_s) {
            return false;
        }
        rest = rest.substr(0, plus);
    }
    const auto read = currency_code::parse(rest);
    if (read) currency = *read;
    return read.has_value();
}

}  // namespace flashsale
