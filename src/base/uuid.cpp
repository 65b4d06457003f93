#include <flashsale/base/uuid.hpp>

namespace flashsale {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr bool is_dash(std::size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

}  // namespace

void uuid::append_to(std::string& out) const {
    char text[36];
    std::size_t at = 0;
    for (const std::uint8_t byte : bytes) {
        if (is_dash(at)) text[at++] = '-';
        text[at++] = hex_digits[byte >> 4];
        text[at++] = hex_digits[byte & 0x0f];
    }
    out.append(text, sizeof text);
}

std::string uuid::to_string() const {
    std::string out;
    append_to(out);
    return out;
}

std::optional<uuid> uuid::parse(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    uuid id;
    std::size_t at = 0;
    for (std::uint8_t& byte : id.bytes) {
        if (is_dash(at) && text[at++] != '-') return std::nullopt;
        const int high = hex_value(text[at++]);
        const int low = hex_value(text[at++]);
        if (high < 0 || low < 0) return std::nullopt;
        byte = static_cast<std::uint8_t>(high << 4 | low);
    }
    return id;
}

timestamp uuid::time() const {
    std::uint64_t milliseconds = 0;
    for (std::size_t i = 0; i < 6; ++i)
        milliseconds = milliseconds << 8 | bytes[i];
    return timestamp{std::chrono::milliseconds{milliseconds}};
}

void uuid::set_time(timestamp made) {
    const auto milliseconds = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(made.time_since_epoch()).count());
    for (std::size_t i = 0; i < 6; ++i)
        bytes[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
}

uuid_generator::uuid_generator() {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(),
                       device(), device(), device(), device()};
    random_.seed(seed);
}

uuid uuid_generator::make(std::uint32_t shard) {
    return make(shard, wall_clock_now());
}

uuid uuid_generator::make(std::uint32_t shard, timestamp now) {
    uuid id;
    id.set_time(now);
    id.bytes[6] = static_cast<std::uint8_t>(0x70u | (shard >> 8 & 0x0fu));
    id.bytes[7] = static_cast<std::uint8_t>(shard);
    const std::uint64_t random = random_();
    for (std::size_t i = 0; i < 8; ++i) {
        id.bytes[8 + i] = static_cast<std::uint8_t>(random >> (56 - 8 * i));
    }
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3fu) | 0x80u);
    return id;
}

}  // namespace flashsale
