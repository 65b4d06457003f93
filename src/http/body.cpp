#include <flashsale/http.hpp>

namespace flashsale::http {

namespace json = boost::json;

namespace {

constexpr std::size_t json_depth_max = 8;

std::size_t members_of(const json::value& value) {
    std::size_t count = 0;
    if (const auto* object = value.if_object()) {
        count = object->size();
        for (const auto& member : *object)
            count += members_of(member.value());
    } else if (const auto* array = value.if_array()) {
        for (const auto& element : *array)
            count += members_of(element);
    }
    return count;
}

/// Of text that is known to be valid JSON: each member has one colon outside of strings.
std::size_t members_written_in(std::string_view text) {
    std::size_t count = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') {
            in_string = !in_string;
        } else if (in_string) {
            if (text[i] == '\\') ++i;
        } else if (text[i] == ':') {
            ++count;
        }
    }
    return count;
}

response malformed(const std::string& detail) {
    return problem(problems::malformed_json, detail, "body");
}

}  // namespace

std::expected<json::value, response> parse_body(std::string_view body,
                                                const json::storage_ptr& memory) {
    if (body.empty()) {
        return std::unexpected(malformed("The body is empty; it must be one JSON value."));
    }
    // Its temporary stack is what the parser would otherwise allocate anew for each body.
    thread_local json::parser parser{json::storage_ptr{},
                                     json::parse_options{.max_depth = json_depth_max}};
    parser.reset(memory);
    boost::system::error_code ec;
    const std::size_t read = parser.write(body.data(), body.size(), ec);
    if (ec) {
        parser.reset();  // what it has made so far is in memory that the caller may take back
        return std::unexpected(
            malformed("Near byte " + std::to_string(read) + " of the body: " + ec.message() + "."));
    }
    json::value parsed = parser.release();
    parser.reset();
    // Boost.JSON keeps the last of two members of one name silently; readers before or behind us
    // might keep the first.
    if (members_of(parsed) != members_written_in(body)) {
        return std::unexpected(malformed("An object in the body has two members of one name."));
    }
    return parsed;
}

}  // namespace flashsale::http
