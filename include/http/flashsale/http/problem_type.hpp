#pragma once

// A kind of error as the client sees it (RFC 9457). The module that gives it declares it, as an
// `inline constexpr` of its own, and lists it at its router, so that all of a program can be read.

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace flashsale::http {

/// A code is for ever, and has one status and one title. All of the document but its request_id is
/// composed by the compiler, so an answer only points to it. What is written here is ASCII that
/// JSON need not escape: anything else does not compile.
class problem_type {
public:
    consteval problem_type(unsigned status, std::string_view code, std::string_view title,
                           std::string_view detail)
        : problem_type(status, code, title, detail, status == 503 ? 1U : 0U) {}
    consteval problem_type(unsigned status, std::string_view code, std::string_view title,
                           std::string_view detail, unsigned retry_after_s)
        : status_(status),
          retry_after_s_(retry_after_s),
          code_(code),
          title_(title),
          detail_(detail) {
        check({code, title, detail});
        const char digits[]{static_cast<char>('0' + status / 100),
                            static_cast<char>('0' + status / 10 % 10),
                            static_cast<char>('0' + status % 10)};
        append({R"({"type":"urn:flashsale:problem:)", code, R"(","title":")", title});
        append({R"(","status":)", {digits, 3}, R"(,"code":")", code, R"(","detail":)"});
        start_ = size_;
        append({"\"", detail, "\""});
    }
    // An answer's body is a part of it.
    problem_type(const problem_type&) = delete;
    problem_type& operator=(const problem_type&) = delete;

    constexpr unsigned status() const { return status_; }
    constexpr unsigned retry_after_s() const { return retry_after_s_; }  ///< 0: no such header
    constexpr std::string_view code() const { return code_; }            ///< `not_found`
    constexpr std::string_view title() const { return title_; }
    constexpr std::string_view detail() const { return detail_; }  ///< where the caller gives none

    /// The document, but for its request_id and what ends it.
    constexpr std::string_view open_document() const { return {text_.data(), size_}; }
    /// The same, up to and with `"detail":`.
    constexpr std::string_view start_of_document() const { return {text_.data(), start_}; }

private:
    consteval void check(std::initializer_list<std::string_view> texts) const {
        if (status_ < 400 || status_ > 599) throw "the status of a problem is 400 to 599";
        for (const std::string_view text : texts) {
            for (const char c : text) {
                if (c < ' ' || c > '~' || c == '"' || c == '\\') throw "JSON would escape it";
            }
        }
    }
    consteval void append(std::initializer_list<std::string_view> texts) {
        for (const std::string_view text : texts) {
            for (const char c : text)
                text_[size_++] = c;
        }
    }

    unsigned status_;
    unsigned retry_after_s_;
    std::string_view code_;
    std::string_view title_;
    std::string_view detail_;
    std::size_t start_ = 0;
    std::size_t size_ = 0;
    std::array<char, 384> text_{};
};

/// What a module may give: pointers to static objects.
using problem_list = std::span<const problem_type* const>;

}  // namespace flashsale::http
