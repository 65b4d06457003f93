#include <flashsale/http/csv.hpp>

#include <flashsale/base/json_fields.hpp>

namespace flashsale::http {

void csv_line::begin_field() {
    if (!empty_) out_.push_back(',');
    empty_ = false;
}

csv_line& csv_line::integer(std::int64_t value) {
    begin_field();
    append_integer(out_, value);
    return *this;
}

csv_line& csv_line::text(std::string_view value) {
    begin_field();
    const bool formula = value.find_first_of("=+-@\t\r") == 0;
    // White space at an end is the value's own, but some readers drop it outside of quotes.
    const bool quoted = value.find_first_of(",\"\r\n") != std::string_view::npos ||
                        value.starts_with(' ') || value.ends_with(' ');
    if (quoted) out_.push_back('"');
    if (formula) out_.push_back('\'');
    for (std::size_t quote; (quote = value.find('"')) != std::string_view::npos;) {
        out_.append(value.substr(0, quote + 1)).push_back('"');
        value.remove_prefix(quote + 1);
    }
    out_.append(value);
    if (quoted) out_.push_back('"');
    return *this;
}

}  // namespace flashsale::http
