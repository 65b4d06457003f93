#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "flashsale/base/time.hpp"

namespace flashsale {

/// An RFC 9562 UUID, most significant byte first.
struct uuid {
    std::array<std::uint8_t, 16> bytes{};

    auto operator<=>(const uuid&) const = default;

    /// 36 characters, lower case.
    std::string to_string() const;
    void append_to(std::string& out) const;

    /// Accepts the 36-character form, either case; nothing else.
    static std::optional<uuid> parse(std::string_view text);

    /// The millisecond in which a version 7 UUID was made.
    timestamp time() const;
    void set_time(timestamp made);

    /// The shard that `uuid_generator` put into the 12 bits of rand_a.
    std::uint32_t shard() const { return (bytes[6] & 0x0fu) << 8 | bytes[7]; }
};

/// Makes version 7 UUIDs: 48 bits of milliseconds, 12 bits of shard, 62 random bits. One per
/// thread.
class uuid_generator {
public:
    uuid_generator();

    uuid make(std::uint32_t shard = 0);
    uuid make(std::uint32_t shard, timestamp now);

private:
    std::mt19937_64 random_;
};

struct uuid_hash {
    std::size_t operator()(const uuid& id) const noexcept {
        std::uint64_t random_half = 0;
        for (std::size_t i = 8; i < 16; ++i)
            random_half = random_half << 8 | id.bytes[i];
        return std::hash<std::uint64_t>{}(random_half);
    }
};

}  // namespace flashsale
