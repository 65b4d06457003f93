#include "report/json_text.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json/serialize.hpp>
#include <cmath>
#include <iterator>

namespace flashsale::bench {

namespace {

void append(std::string& out, const boost::json::value& value) {
    const char* separator = "";
    switch (value.kind()) {
        case boost::json::kind::object:
            out += '{';
            for (const auto& [name, member] : value.get_object()) {
                out += separator;
                out += boost::json::serialize(name);
                out += ':';
                append(out, member);
                separator = ",";
            }
            out += '}';
            return;
        case boost::json::kind::array:
            out += '[';
            for (const auto& element : value.get_array()) {
                out += separator;
                append(out, element);
                separator = ",";
            }
            out += ']';
            return;
        case boost::json::kind::double_:
            if (!std::isfinite(value.get_double())) {
                out += "null";
            } else {
                const bool large = std::abs(value.get_double()) >= 100'000;
                fmt::format_to(std::back_inserter(out), fmt::runtime(large ? "{:.0f}" : "{:.6g}"),
                               value.get_double());
            }
            return;
        default:
            out += boost::json::serialize(value);
    }
}

}  // namespace

std::string to_text(const boost::json::value& value) {
    std::string out;
    append(out, value);
    return out;
}

}  // namespace flashsale::bench
