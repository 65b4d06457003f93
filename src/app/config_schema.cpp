#include <boost/json.hpp>

#include "config.hpp"

namespace flashsale::app {

namespace json = boost::json;

namespace {

json::object schema_of(const setting& one) {
    json::object out;
    out["description"] = one.meaning;
    if (const auto* integer = std::get_if<setting::integer>(&one.value)) {
        out["type"] = "integer";
        out["minimum"] = integer->min;
        out["maximum"] = integer->max;
        out["default"] = integer->fallback;
    } else if (const auto* flag = std::get_if<setting::flag>(&one.value)) {
        out["type"] = "boolean";
        out["default"] = flag->fallback;
    } else {
        const auto& text = std::get<setting::text>(one.value);
        out["type"] = "string";
        if (!text.fallback.empty()) out["minLength"] = 1;
        if (!text.choices.empty())
            out["enum"] = json::array(text.choices.begin(), text.choices.end());
        out["default"] = text.fallback;
    }
    return out;
}

/// Boost.JSON writes on one line; a schema is read by people too.
void write_indented(std::string& out, const json::value& value, std::size_t depth) {
    const json::object* object = value.if_object();
    if (object == nullptr || object->empty()) {
        out += json::serialize(value);
        return;
    }
    out += "{\n";
    std::size_t left = object->size();
    for (const auto& member : *object) {
        out.append(2 * (depth + 1), ' ');
        out += json::serialize(json::value(member.key())) + ": ";
        write_indented(out, member.value(), depth + 1);
        out += --left == 0 ? "\n" : ",\n";
    }
    out.append(2 * depth, ' ') += "}";
}

}  // namespace

std::string config_json_schema() {
    json::object sections;
    for (const setting& one : settings()) {
        const auto dot = one.path.find('.');
        json::object& section =
            sections
                .emplace(one.path.substr(0, dot), json::object{{"type", "object"},
                                                               {"additionalProperties", false},
                                                               {"properties", json::object{}}})
                .first->value()
                .as_object();
        section["properties"].as_object()[one.path.substr(dot + 1)] = schema_of(one);
    }
    json::object properties;
    properties["$schema"] = {{"type", "string"}};
    for (auto& section : sections)
        properties[section.key()] = std::move(section.value());
    const json::value schema = {
        {"$schema", "https://json-schema.org/draft/2020-12/schema"},
        {"title", "flashsale configuration"},
        {"type", "object"},
        {"additionalProperties", false},
        {"properties", std::move(properties)},
    };
    std::string out;
    write_indented(out, schema, 0);
    return out + "\n";
}

}  // namespace flashsale::app
