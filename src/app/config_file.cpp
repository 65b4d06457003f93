#include <unistd.h>

#include <boost/json.hpp>

#include <charconv>
#include <fstream>
#include <sstream>

#include "config.hpp"

namespace flashsale::app {

namespace json = boost::json;

namespace {

std::string expectation(const setting& of) {
    if (const auto* integer = std::get_if<setting::integer>(&of.value)) {
        return "an integer from " + std::to_string(integer->min) + " to " +
               std::to_string(integer->max);
    }
    if (std::holds_alternative<setting::flag>(of.value)) return "true or false";
    const auto& text = std::get<setting::text>(of.value);
    if (text.choices.empty()) return std::string(text.form);
    std::string out = "one of";
    for (const auto choice : text.choices)
        out.append(" \"").append(choice).append("\"");
    return out;
}

[[noreturn]] void refuse(std::string_view where, const setting& of, const std::string& found) {
    throw config_error(std::string(where) + ": expected " + expectation(of) + ", found " + found);
}

bool accepts(const setting::text& of, std::string_view value) {
    if (!of.choices.empty()) return std::ranges::find(of.choices, value) != of.choices.end();
    return of.valid != nullptr ? of.valid(value) : !value.empty();
}

void assign(config& into, const setting& of, const json::value& value, const std::string& where) {
    if (const auto* integer = std::get_if<setting::integer>(&of.value)) {
        const std::int64_t* number = value.if_int64();
        if (number == nullptr || *number < integer->min || *number > integer->max) {
            refuse(where, of, json::serialize(value));
        }
        integer->in(into) = *number;
    } else if (const auto* flag = std::get_if<setting::flag>(&of.value)) {
        if (!value.is_bool()) refuse(where, of, json::serialize(value));
        flag->in(into) = value.get_bool();
    } else {
        const auto& text = std::get<setting::text>(of.value);
        const json::string* found = value.if_string();
        if (found == nullptr || !accepts(text, *found)) {
            refuse(where, of,
                   found != nullptr ? without_password(json::serialize(value))
                                    : json::serialize(value));
        }
        text.in(into) = *found;
    }
}

config defaults() {
    config out;
    for (const setting& one : settings()) {
        if (const auto* integer = std::get_if<setting::integer>(&one.value)) {
            integer->in(out) = integer->fallback;
        } else if (const auto* flag = std::get_if<setting::flag>(&one.value)) {
            flag->in(out) = flag->fallback;
        } else {
            const auto& text = std::get<setting::text>(one.value);
            text.in(out) = text.fallback;
        }
    }
    return out;
}

const setting* find_setting(std::string_view path) {
    const auto all = settings();
    const auto found = std::ranges::find(all, path, &setting::path);
    return found == all.end() ? nullptr : &*found;
}

bool is_section(std::string_view name) {
    return std::ranges::any_of(settings(), [name](const setting& one) {
        return one.path.substr(0, one.path.find('.')) == name;
    });
}

json::value parse_text(std::string_view text, std::string_view name) {
    json::parse_options options;
    options.allow_comments = true;
    options.allow_trailing_commas = true;
    options.max_depth = 4;
    json::parser parser({}, options);
    json::error_code error;
    const std::size_t read = parser.write(text.data(), text.size(), error);
    if (error) {
        const auto line =
            1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(read), '\n');
        throw config_error(std::string(name) + ":" + std::to_string(line) +
                           ": expected JSON (comments are allowed): " + error.message());
    }
    return parser.release();
}

void read_file(config& into, const json::value& file, std::string_view name) {
    const std::string prefix = std::string(name) + ": ";
    if (!file.is_object()) throw config_error(prefix + "expected a JSON object");
    for (const auto& section : file.get_object()) {
        if (section.key() == "$schema") continue;
        if (!is_section(section.key())) {
            throw config_error(prefix + std::string(section.key()) +
                               ": unknown key; `flashsale check-config --schema` lists all");
        }
        if (!section.value().is_object()) {
            throw config_error(prefix + std::string(section.key()) +
                               ": expected a section, an object");
        }
        for (const auto& entry : section.value().get_object()) {
            const std::string path = std::string(section.key()) + "." + std::string(entry.key());
            const setting* of = find_setting(path);
            if (of == nullptr) {
                throw config_error(prefix + path +
                                   ": unknown key; `flashsale check-config --schema` lists all");
            }
            assign(into, *of, entry.value(), prefix + path);
        }
    }
}

/// FLASHSALE_SECTION__KEY; names without two underscores are not ours to judge.
void read_environment(config& into, const char* const* environment) {
    constexpr std::string_view prefix = "FLASHSALE_";
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        const std::string_view entry = *environment;
        const auto equals = entry.find('=');
        if (!entry.starts_with(prefix) || equals == std::string_view::npos) continue;
        const std::string name(entry.substr(0, equals));
        const std::string_view text = entry.substr(equals + 1);
        if (name.find("__") == std::string::npos) continue;
        const auto all = settings();
        const auto of = std::ranges::find_if(
            all, [&](const setting& one) { return one.environment_name() == name; });
        if (of == all.end()) throw config_error("environment: " + name + ": unknown key");
        json::value value = json::string(text);
        if (!std::holds_alternative<setting::text>(of->value)) {
            json::error_code error;
            json::value parsed = json::parse(text, error);
            if (!error) value = std::move(parsed);
        }
        assign(into, *of, value, "environment: " + name);
    }
}

}  // namespace

config parse_config(std::string_view text, std::string_view name, const char* const* environment) {
    config out = defaults();
    read_file(out, parse_text(text, name), name);
    read_environment(out, environment);
    if (out.stock.gate == "database" && out.redis_urls().size() > 1) {
        throw config_error("redis.url: the database gate has one shard, expected one URL");
    }
    if (out.stock.gate == "memory" && !out.recorder.enabled) {
        throw config_error(
            "recorder.enabled: expected true, because with stock.gate \"memory\" there is no other "
            "process that could record");
    }
    return out;
}

config read_embedded_config() {
    return parse_config(R"({"stock": {"gate": "memory"}})", "the built-in configuration", environ);
}

config read_config(const std::string& path) {
    std::ifstream file(path);
    if (!file) throw config_error(path + ": cannot be read; expected a configuration file");
    std::ostringstream text;
    text << file.rdbuf();
    return parse_config(text.str(), path, environ);
}

std::string without_password(std::string_view url) {
    std::string out(url);
    const auto scheme = out.find("://");
    if (scheme == std::string::npos) return out;
    const auto at = out.find('@', scheme);
    const auto colon = out.find(':', scheme + 3);
    if (at == std::string::npos || colon == std::string::npos || colon > at) return out;
    return out.replace(colon + 1, at - colon - 1, "***");
}

}  // namespace flashsale::app
