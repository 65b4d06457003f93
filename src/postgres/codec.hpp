#pragma once

// PostgreSQL's binary format: what the send and recv functions of the types in use put on the wire.

#include <cstdint>
#include <flashsale/base/time.hpp>
#include <flashsale/base/uuid.hpp>
#include <string>
#include <string_view>

namespace flashsale::postgres {

/// From the server's catalog/pg_type.dat; they never change.
namespace oid {
inline constexpr std::uint32_t boolean = 16;
inline constexpr std::uint32_t name = 19;
inline constexpr std::uint32_t int8 = 20;
inline constexpr std::uint32_t int2 = 21;
inline constexpr std::uint32_t int4 = 23;
inline constexpr std::uint32_t text = 25;
inline constexpr std::uint32_t bpchar = 1042;
inline constexpr std::uint32_t varchar = 1043;
inline constexpr std::uint32_t timestamptz = 1184;
inline constexpr std::uint32_t uuid = 2950;
inline constexpr std::uint32_t int8_array = 1016;
inline constexpr std::uint32_t text_array = 1009;
inline constexpr std::uint32_t timestamptz_array = 1185;
inline constexpr std::uint32_t uuid_array = 2951;
}  // namespace oid

void append_int32(std::string& out, std::int32_t value);
void append_int64(std::string& out, std::int64_t value);
void append_time(std::string& out, timestamp value);
void append_uuid(std::string& out, const uuid& value);

/// The head of an array of one dimension; each element follows as its length (int32) and its bytes.
void append_array_head(std::string& out, std::uint32_t element_type, std::size_t elements);

/// Each expects exactly the bytes of its type.
std::int64_t read_integer(std::string_view bytes);  // 2, 4 or 8 of them
timestamp read_time(std::string_view bytes);        // ±infinity becomes timestamp::max() or min()
uuid read_uuid(std::string_view bytes);

}  // namespace flashsale::postgres
