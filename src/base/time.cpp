#include <flashsale/base/time.hpp>

#include <cstdint>

namespace flashsale {

namespace {

constexpr timestamp end_of_times =
    std::chrono::sys_days{std::chrono::year{10'000} / std::chrono::January / 1};

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Takes exactly `digits` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take_one_of(std::string_view& text, std::string_view accepted) {
    if (text.empty() || accepted.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<microseconds> take_fraction(std::string_view& text) {
    if (!text.starts_with('.')) return microseconds{0};
    text.remove_prefix(1);
    std::int64_t value = 0;
    std::int64_t weight = 100'000;
    std::size_t digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
        value += weight * (text.front() - '0');
        weight /= 10;
        text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
    return microseconds{value};
}

std::optional<minutes> take_offset(std::string_view& text) {
    if (take_one_of(text, "Zz")) return minutes{0};
    const bool east = text.starts_with('+');
    if (!take_one_of(text, "+-")) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || !take_one_of(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
    const minutes offset = hours{*hour} + minutes{*minute};
    return east ? offset : -offset;
}

}  // namespace

timestamp wall_clock_now() {
    return std::chrono::floor<microseconds>(std::chrono::system_clock::now());
}

std::string to_rfc3339(timestamp time) {
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    // Written by hand: two of these are made for every order.
    char text[28];
    char* end = text;
    const auto put = [&end](auto number, int digits, char after) {
        auto left = static_cast<std::uint64_t>(number);
        for (int i = digits; i-- > 0; left /= 10)
            end[i] = static_cast<char>('0' + left % 10);
        end += digits;
        *end++ = after;
    };
    put(static_cast<int>(date.year()), 4, '-');
    put(static_cast<unsigned>(date.month()), 2, '-');
    put(static_cast<unsigned>(date.day()), 2, 'T');
    put(clock.hours().count(), 2, ':');
    put(clock.minutes().count(), 2, ':');
    put(clock.seconds().count(), 2, 'Z');
    const std::int64_t fraction = clock.subseconds().count();
    if (fraction != 0) {
        end[-1] = '.';
        fraction % 1000 != 0 ? put(fraction, 6, 'Z') : put(fraction / 1000, 3, 'Z');
    }
    return {text, end};
}

std::optional<timestamp> parse_rfc3339(std::string_view text) {
    const auto year = take_digits(text, 4);
    if (!year || !take_one_of(text, "-")) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || !take_one_of(text, "-")) return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day || !take_one_of(text, "Tt ")) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take_one_of(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59 || !take_one_of(text, ":")) return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second || *second > 59) return std::nullopt;
    const auto fraction = take_fraction(text);
    if (!fraction) return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;

    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    const timestamp local = std::chrono::sys_days{date} + hours{*hour} + minutes{*minute} +
                            seconds{*second} + *fraction;
    const timestamp utc = local - *offset;
    if (utc < timestamp{} || utc >= end_of_times) return std::nullopt;
    return utc;
}

}  // namespace flashsale
