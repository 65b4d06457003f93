#include "codec.hpp"

#include <bit>
#include <cassert>
#include <cstring>
#include <limits>

namespace flashsale::postgres {

namespace {

/// timestamptz counts from 2000-01-01 00:00:00 UTC.
constexpr std::int64_t epoch_us = 946'684'800'000'000;

template <class Integer>
void append_big_endian(std::string& out, Integer value) {
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof bytes);
}

template <class Integer>
Integer read_big_endian(std::string_view bytes) {
    assert(bytes.size() == sizeof(Integer));
    Integer value;
    std::memcpy(&value, bytes.data(), sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    return value;
}

}  // namespace

void append_int32(std::string& out, std::int32_t value) {
    append_big_endian(out, value);
}

void append_int64(std::string& out, std::int64_t value) {
    append_big_endian(out, value);
}

void append_time(std::string& out, timestamp value) {
    append_int64(out, value.time_since_epoch().count() - epoch_us);
}

void append_uuid(std::string& out, const uuid& value) {
    for (const auto byte : value.bytes)
        out.push_back(static_cast<char>(byte));
}

void append_array_head(std::string& out, std::uint32_t element_type, std::size_t elements) {
    append_int32(out, elements == 0 ? 0 : 1);  // dimensions: an empty array has none
    append_int32(out, 0);                      // no nulls
    append_int32(out, static_cast<std::int32_t>(element_type));
    if (elements == 0) return;
    assert(elements <= std::numeric_limits<std::int32_t>::max());
    append_int32(out, static_cast<std::int32_t>(elements));
    append_int32(out, 1);  // the first index
}

std::int64_t read_integer(std::string_view bytes) {
    switch (bytes.size()) {
        case 2:
            return read_big_endian<std::int16_t>(bytes);
        case 4:
            return read_big_endian<std::int32_t>(bytes);
        default:
            return read_big_endian<std::int64_t>(bytes);
    }
}

timestamp read_time(std::string_view bytes) {
    const auto since_2000 = read_big_endian<std::int64_t>(bytes);
    std::int64_t since_1970 = 0;
    if (since_2000 == std::numeric_limits<std::int64_t>::min()) return timestamp::min();
    if (__builtin_add_overflow(since_2000, epoch_us, &since_1970)) return timestamp::max();
    return timestamp(std::chrono::microseconds(since_1970));
}

uuid read_uuid(std::string_view bytes) {
    uuid value;
    assert(bytes.size() == value.bytes.size());
    std::memcpy(value.bytes.data(), bytes.data(), value.bytes.size());
    return value;
}

}  // namespace flashsale::postgres
