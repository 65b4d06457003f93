#pragma once

// Entries of an AMQP table. They point to the texts given, which must outlive the call they are
// for.

#include <amqp.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace flashsale::amqp {

inline amqp_bytes_t to_bytes(std::string_view text) {
    return {text.size(), const_cast<char*>(text.data())};
}
inline std::string_view to_view(const amqp_bytes_t& bytes) {
    return {static_cast<const char*>(bytes.bytes), bytes.len};
}

inline amqp_table_entry_t text(const char* name, std::string_view value) {
    amqp_table_entry_t entry{};
    entry.key = amqp_cstring_bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = to_bytes(value);
    return entry;
}

inline amqp_table_entry_t flag(const char* name) {
    amqp_table_entry_t entry{};
    entry.key = amqp_cstring_bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
    return entry;
}

inline amqp_table_entry_t number(const char* name, std::int64_t value) {
    amqp_table_entry_t entry{};
    entry.key = amqp_cstring_bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_I64;
    entry.value.value.i64 = value;
    return entry;
}

inline amqp_table_entry_t nested(const char* name, amqp_table_t value) {
    amqp_table_entry_t entry{};
    entry.key = amqp_cstring_bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_TABLE;
    entry.value.value.table = value;
    return entry;
}

template <std::size_t Size>
amqp_table_t table(std::array<amqp_table_entry_t, Size>& entries) {
    return {static_cast<int>(Size), entries.data()};
}

}  // namespace flashsale::amqp
