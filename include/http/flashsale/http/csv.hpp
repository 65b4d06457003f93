#pragma once

// CSV as RFC 4180 has it.

#include <cstdint>
#include <string>
#include <string_view>

namespace flashsale::http {

inline constexpr std::string_view csv_type = "text/csv";
/// As it stands in Content-Type.
inline constexpr std::string_view csv_content_type = "text/csv; charset=utf-8; header=present";

/// Appends one line, field by field; its end comes with the destructor.
class csv_line {
public:
    explicit csv_line(std::string& out) : out_(out) {}
    ~csv_line() { out_.append("\r\n"); }
    csv_line(const csv_line&) = delete;
    csv_line& operator=(const csv_line&) = delete;

    csv_line& integer(std::int64_t value);
    /// In quotes where it needs them. What a spreadsheet would take for a formula (it begins with
    /// = + - @, a tabulator or CR) gets an apostrophe before it, the spreadsheets' own sign for
    /// text: a user that chooses a name must not choose what a reader's machine computes. A reader
    /// that is no spreadsheet has to know that.
    csv_line& text(std::string_view value);

private:
    void begin_field();

    std::string& out_;
    bool empty_ = true;
};

}  // namespace flashsale::http
