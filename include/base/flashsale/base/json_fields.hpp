#pragma once

// Strict reading of a JSON object, field by field. The first fault found is kept with the field's
// name; reading goes on so that callers need no branch per field.

#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "flashsale/base/time.hpp"

namespace flashsale {

/// What is wrong with one field: its name (or path), and what was expected of it.
struct field_fault {
    std::string field;
    std::string expected;
};

class json_fields {
public:
    /// `value` must outlive this; a value that is no object is itself a fault.
    explicit json_fields(const boost::json::value& value);

    /// An integer in [min, max]; 1.0 and "1" are refused. Zero is returned beside a fault.
    std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
    std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t min,
                                                 std::int64_t max);
    /// A string of min to max bytes, valid UTF-8, without control characters.
    std::string text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max);
    std::optional<std::string> optional_text(std::string_view name, std::size_t bytes_min,
                                             std::size_t bytes_max);
    /// A string, whatever is in it: the caller looks at that, and says so by fault().
    std::string any_text(std::string_view name);
    std::optional<timestamp> optional_time(std::string_view name);
    std::optional<bool> optional_boolean(std::string_view name);

    /// Call last: faults on any field that no call above asked for. nullopt when all is well.
    std::optional<field_fault> finish();

    /// The first fault so far, unknown fields left alone: for messages that may grow.
    const std::optional<field_fault>& first_fault() const { return fault_; }

    /// Adds a fault of the caller's own, a relation between two fields say.
    void fault(std::string_view field, std::string expected);

private:
    const boost::json::value* find(std::string_view name, bool required);

    const boost::json::object* object_ = nullptr;
    /// No object that is read here has more fields; a vector would be an allocation an order.
    static constexpr std::size_t known_max = 16;
    std::array<std::string_view, known_max> known_;
    std::size_t known_count_ = 0;
    std::optional<field_fault> fault_;
};

bool is_valid_utf8(std::string_view text);

/// Of the character that `text` begins with; 0 if it begins with none, or is empty.
std::size_t utf8_character_bytes(std::string_view text);

/// U+FFFD, which stands for each byte that is no UTF-8.
inline constexpr std::string_view utf8_replacement = "\xef\xbf\xbd";

/// Appends `text` as a JSON string, quotes included: valid UTF-8, whatever `text` is.
void append_json_string(std::string& out, std::string_view text);

/// Appends an integer in decimal.
void append_integer(std::string& out, std::int64_t value);
void append_integer(std::string& out, std::uint64_t value);

}  // namespace flashsale
