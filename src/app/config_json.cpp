#include "config_json.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <set>

#include "config.hpp"

namespace flashsale::app {

namespace json = boost::json;

namespace {

constexpr std::size_t depth_max = 4;

json::parse_options lenient() {
    json::parse_options options;
    options.allow_comments = true;
    options.allow_trailing_commas = true;
    options.max_depth = depth_max;
    return options;
}

/// Sees every key as it is written; Boost.JSON's own parser keeps the last of two silently.
class key_watch {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    bool on_object_begin(json::error_code&) {
        levels_.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, json::error_code&) {
        levels_.pop_back();
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        key_ += part;
        return true;
    }
    bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
        key_ += part;
        level& here = levels_.back();
        here.last = std::exchange(key_, {});
        if (here.keys.insert(here.last).second) return true;
        for (const level& one : levels_)
            twice.append(twice.empty() ? "" : ".").append(one.last);
        ec = json::error::syntax;
        return false;
    }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t, json::error_code&) { return true; }
    bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    bool on_double(double, json::string_view, json::error_code&) { return true; }
    bool on_bool(bool, json::error_code&) { return true; }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

    std::string twice;  ///< the path of a key that was there already

private:
    struct level {
        std::set<std::string> keys;
        std::string last;
    };
    std::vector<level> levels_;
    std::string key_;
};

std::string place(std::string_view name, std::string_view text, std::size_t offset) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(offset, text.size()));
    return std::string(name) + ":" + std::to_string(1 + std::count(text.begin(), end, '\n')) + ": ";
}

}  // namespace

json::value parse_config_json(std::string_view text, std::string_view name) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());

    json::basic_parser<key_watch> watch(lenient());
    json::error_code error;
    const std::size_t seen = watch.write_some(false, text.data(), text.size(), error);
    if (error && !watch.handler().twice.empty())
        throw config_error(place(name, text, seen) + watch.handler().twice + ": given twice");

    json::parser parser({}, lenient());
    const std::size_t read = parser.write(text.data(), text.size(), error);
    if (error) {
        throw config_error(place(name, text, read) +
                           "expected JSON (comments are allowed): " + error.message());
    }
    return parser.release();
}

}  // namespace flashsale::app
