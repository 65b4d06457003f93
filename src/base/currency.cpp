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

void append_price(std::string& out, std::int64_t amount, currency_code currency) {
    append_integer(out, amount);
    out.append(currency.text());
}

bool read_price(std::string_view word, std::int64_t& amount, currency_code& currency) {
    const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), amount);
    if (fault != std::errc{} || amount < 0 || word.front() == '-') return false;
    const auto read = currency_code::parse({end, word.data() + word.size()});
    if (read) currency = *read;
    return read.has_value();
}

}  // namespace flashsale
