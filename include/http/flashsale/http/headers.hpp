#pragma once

// The header fields of a request that a handler may ask for. A request that has none of them pays
// for none.

#include <array>
#include <cstdint>
#include <string_view>

namespace flashsale::http {

enum class header : std::uint8_t {
    accept,
    access_control_request_method,
    authorization,
    forwarded,
    if_match,
    if_none_match,
    last_event_id,
    origin,
    x_forwarded_for,
};

inline constexpr std::size_t header_count = 9;

/// The values are views, valid as long as the request's others.
class headers {
public:
    // Neither made nor copied: values that there are not.
    headers() noexcept {}  // NOLINT(*-member-init,*-use-equals-default)
    headers(const headers& other) noexcept { *this = other; }  // NOLINT(*-member-init)
    headers& operator=(const headers& other) noexcept {
        seen_ = other.seen_;
        if (seen_ != 0) values_ = other.values_;
        return *this;
    }

    bool has(header which) const { return (seen_ & bit(which)) != 0; }
    /// As it came, without the white space around it; empty if it did not. A list that came in
    /// several lines is one list here.
    std::string_view operator[](header which) const {
        const value& found = values_[static_cast<std::size_t>(which)];
        return has(which) ? std::string_view(found.data, found.size) : std::string_view();
    }
    void set(header which, std::string_view text) {
        seen_ |= bit(which);
        values_[static_cast<std::size_t>(which)] = {text.data(), text.size()};
    }

private:
    struct value {
        const char* data;
        std::size_t size;
    };
    static constexpr unsigned bit(header which) { return 1u << static_cast<unsigned>(which); }

    unsigned seen_ = 0;
    std::array<value, header_count> values_;  ///< of those that were seen
};

}  // namespace flashsale::http
