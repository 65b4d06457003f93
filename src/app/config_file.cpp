#include <unistd.h>

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "capabilities.hpp"
#include "config.hpp"
#include "config_json.hpp"

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

/// Of another kind than expected, anything may be in it.
std::string found_text(const json::value& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array";
    const json::string* text = value.if_string();
    return text == nullptr ? json::serialize(value) : quoted_for_error(*text);
}

[[noreturn]] void refuse(std::string_view where, const setting& of, const std::string& found) {
    throw config_error(std::string(where) + ": expected " + expectation(of) + ", found " + found);
}

bool has_control_characters(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool accepts(const setting::text& of, std::string_view value) {
    if (has_control_characters(value)) return false;
    if (!of.choices.empty()) return std::ranges::find(of.choices, value) != of.choices.end();
    return of.valid != nullptr ? of.valid(value) : !value.empty();
}

void assign(config& into, const setting& of, const json::value& value, const std::string& where) {
    if (const auto* integer = std::get_if<setting::integer>(&of.value)) {
        const std::int64_t* number = value.if_int64();
        if (number == nullptr || *number < integer->min || *number > integer->max) {
            refuse(where, of, found_text(value));
        }
        integer->in(into) = *number;
    } else if (const auto* flag = std::get_if<setting::flag>(&of.value)) {
        if (!value.is_bool()) refuse(where, of, found_text(value));
        flag->in(into) = value.get_bool();
    } else {
        const auto& text = std::get<setting::text>(of.value);
        const json::string* found = value.if_string();
        if (found == nullptr) refuse(where, of, found_text(value));
        if (text.parses != nullptr) {
            if (has_control_characters(*found))
                throw config_error(where + ": expected " + expectation(of) +
                                   " without control characters");
            if (auto done = text.parses(std::string(*found)); !done)
                throw config_error(where + ": " + done.error());
        } else if (!accepts(text, *found)) {
            refuse(where, of, found_text(value));
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

/// Keys that had another name in a version before.
struct renamed_key {
    std::string_view before, now;
};
constexpr renamed_key renamed_keys[] = {
    {"recovery.sweep_interval_ms", "recovery.reconcile_interval_ms"},
    {"recovery.sweep_events_max", "recovery.reconcile_events_max"},
    {"recovery.reopen_automatically", "recovery.rebuild_automatically"},
    {"recorder.rest_percent", "recorder.pacing_percent"},
    {"recorder.rest_lag_max_ms", "recorder.pacing_lag_max_ms"},
};

/// What is wrong with a key that is none, for people.
std::string unknown_key(std::string_view path) {
    const auto found = std::ranges::find(renamed_keys, path, &renamed_key::before);
    if (found == std::end(renamed_keys)) return "unknown key";
    return "it is called " + std::string(found->now) + " now";
}

bool is_section(std::string_view name) {
    return std::ranges::any_of(settings(), [name](const setting& one) {
        return one.path.substr(0, one.path.find('.')) == name;
    });
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
                throw config_error(prefix + path + ": " + unknown_key(path) +
                                   "; `flashsale check-config --schema` lists all");
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
        if (text.empty()) continue;  // as if it were not there
        if (name.find("__") == std::string::npos) continue;
        const auto all = settings();
        const auto of = std::ranges::find_if(
            all, [&](const setting& one) { return one.environment_name() == name; });
        if (of == all.end()) {
            const auto renamed = std::ranges::find_if(renamed_keys, [&](const renamed_key& one) {
                return environment_name_of(one.before) == name;
            });
            throw config_error("environment: " + name + ": " +
                               unknown_key(renamed == std::end(renamed_keys) ? std::string_view()
                                                                             : renamed->before));
        }
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
    read_file(out, parse_config_json(text, name), name);
    read_environment(out, environment);
    const capabilities can = capabilities_of(out);
    if (can.gate_is_database && out.redis_urls().size() > 1) {
        throw config_error("redis.url: the database gate has one shard, expected one URL");
    }
    if (can.embedded && !out.recorder.enabled) {
        throw config_error(
            "recorder.enabled: expected true, because with stock.gate \"memory\" there is no other "
            "process that could record");
    }
    return out;
}

config read_builtin_config() {
    return parse_config(R"({"stock": {"gate": "memory"}})", "the built-in configuration", environ);
}

config read_config_or_builtin(const std::string& path) {
    return path.empty() ? read_builtin_config() : read_config(path);
}

config read_config(const std::string& path) {
    constexpr std::size_t bytes_max = 1 << 20;
    std::error_code unknown;
    std::ifstream file(path);
    if (!file || std::filesystem::is_directory(path, unknown))
        throw config_error(path + ": cannot be read; expected a configuration file");
    std::string text(bytes_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) throw config_error(path + ": cannot be read; expected a configuration file");
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > bytes_max)
        throw config_error(path + ": larger than a configuration file may be, 1 MiB");
    return parse_config(text, path, environ);
}

}  // namespace flashsale::app
