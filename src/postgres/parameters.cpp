#include <cassert>
#include <flashsale/postgres.hpp>
#include <limits>

#include "codec.hpp"

namespace flashsale::postgres {

namespace {

template <class Values, class Append>
parameters::parameter array(std::uint32_t type, std::uint32_t element_type, const Values& values,
                            std::size_t element_bytes, Append append) {
    parameters::parameter result{type, false, {}};
    result.bytes.reserve(20 + values.size() * (4 + element_bytes));
    append_array_head(result.bytes, element_type, values.size());
    for (const auto& value : values)
        append(result.bytes, value);
    return result;
}

void append_text_element(std::string& out, std::string_view value) {
    assert(value.size() <= std::numeric_limits<std::int32_t>::max());
    append_int32(out, static_cast<std::int32_t>(value.size()));
    out.append(value);
}

}  // namespace

parameters& parameters::integer(std::int64_t value) {
    append_int64(values_.emplace_back(oid::int8, false, std::string()).bytes, value);
    return *this;
}

parameters& parameters::integer(std::optional<std::int64_t> value) {
    if (value) return integer(*value);
    values_.emplace_back(oid::int8, true, std::string());
    return *this;
}

parameters& parameters::text(std::string_view value) {
    values_.emplace_back(oid::text, false, std::string(value));
    return *this;
}

parameters& parameters::text(const std::optional<std::string>& value) {
    if (value) return text(std::string_view(*value));
    values_.emplace_back(oid::text, true, std::string());
    return *this;
}

parameters& parameters::uuid(const flashsale::uuid& value) {
    append_uuid(values_.emplace_back(oid::uuid, false, std::string()).bytes, value);
    return *this;
}

parameters& parameters::time(timestamp value) {
    append_time(values_.emplace_back(oid::timestamptz, false, std::string()).bytes, value);
    return *this;
}

parameters& parameters::time(std::optional<timestamp> value) {
    if (value) return time(*value);
    values_.emplace_back(oid::timestamptz, true, std::string());
    return *this;
}

parameters& parameters::boolean(bool value) {
    values_.emplace_back(oid::boolean, false, std::string(1, value ? '\1' : '\0'));
    return *this;
}

parameters& parameters::integers(std::span<const std::int64_t> values) {
    values_.push_back(array(oid::int8_array, oid::int8, values, 8, [](auto& out, auto value) {
        append_int32(out, 8);
        append_int64(out, value);
    }));
    return *this;
}

parameters& parameters::texts(std::span<const std::string_view> values) {
    values_.push_back(array(oid::text_array, oid::text, values, 32, append_text_element));
    return *this;
}

parameters& parameters::texts(std::span<const std::string> values) {
    values_.push_back(array(oid::text_array, oid::text, values, 32, append_text_element));
    return *this;
}

parameters& parameters::uuids(std::span<const flashsale::uuid> values) {
    values_.push_back(array(oid::uuid_array, oid::uuid, values, 16, [](auto& out, auto& value) {
        append_int32(out, 16);
        append_uuid(out, value);
    }));
    return *this;
}

parameters& parameters::times(std::span<const timestamp> values) {
    values_.push_back(
        array(oid::timestamptz_array, oid::timestamptz, values, 8, [](auto& out, auto value) {
            append_int32(out, 8);
            append_time(out, value);
        }));
    return *this;
}

}  // namespace flashsale::postgres
