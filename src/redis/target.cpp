#include "target.hpp"

#include <charconv>
#include <stdexcept>

#include <flashsale/base/url_text.hpp>
#include <flashsale/redis.hpp>

namespace flashsale::redis {

namespace {

constexpr std::string_view expected_form =
    "expected redis://[user[:password]@]host[:port][/database] or unix:///path[?db=n], without "
    "TLS, "
    "special characters of a password as %xx";

[[noreturn]] void fail(std::string_view what) {
    throw std::invalid_argument(std::string(what) + "; " + std::string(expected_form));
}

std::string percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        unsigned char byte = 0;
        const char* first = text.data() + i + 1;
        if (text.size() - i < 3 || std::from_chars(first, first + 2, byte, 16).ptr != first + 2)
            fail("a '%' without two hexadecimal digits");
        out += static_cast<char>(byte);
        i += 2;
    }
    return out;
}

int parse_number(std::string_view text, int max, std::string_view what) {
    int number = 0;
    const char* first = text.data();
    const char* last = first + text.size();
    const auto [end, ec] = std::from_chars(first, last, number);
    if (ec != std::errc{} || end != last || number < 0 || number > max)
        fail(std::string(what) + " is no number from 0 to " + std::to_string(max));
    return number;
}

constexpr int port_max = 65'535;
constexpr int database_max = 1'000'000;
constexpr std::size_t socket_path_max = 107;

target parse_unix(std::string_view rest) {
    target parsed;
    const auto query = rest.find('?');
    parsed.path = percent_decode(rest.substr(0, query));
    if (!parsed.path.starts_with('/')) fail("the path of the socket is not absolute");
    if (parsed.path.size() > socket_path_max) fail("a path longer than a socket's may be");
    if (query != std::string_view::npos) {
        const auto parameter = rest.substr(query + 1);
        if (!parameter.starts_with("db=")) fail("an unknown parameter");
        parsed.database = parse_number(parameter.substr(3), database_max, "the database");
    }
    return parsed;
}

target parse_tcp(std::string_view rest) {
    target parsed;
    const auto slash = rest.find('/');
    if (slash != std::string_view::npos) {
        if (const auto database = rest.substr(slash + 1); !database.empty())
            parsed.database = parse_number(database, database_max, "the database");
        rest = rest.substr(0, slash);
    }
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        const auto credentials = rest.substr(0, at);
        const auto colon = credentials.find(':');
        parsed.user = percent_decode(credentials.substr(0, colon));
        if (colon != std::string_view::npos)
            parsed.password = percent_decode(credentials.substr(colon + 1));
        if (parsed.password.empty()) fail("a user without a password");
        rest = rest.substr(at + 1);
    }
    std::string_view port;
    if (rest.starts_with('[')) {
        const auto closing = rest.find(']');
        if (closing == std::string_view::npos) fail("a '[' without its ']'");
        parsed.host = rest.substr(1, closing - 1);
        port = rest.substr(closing + 1);
    } else {
        const auto colon = rest.find(':');
        parsed.host = rest.substr(0, colon);
        if (colon != std::string_view::npos) port = rest.substr(colon);
    }
    if (parsed.host.empty()) fail("no host");
    if (!is_host_text(parsed.host)) fail("a character in the host that no host has");
    if (!port.empty()) {
        if (!port.starts_with(':')) fail("the port does not follow the host after a ':'");
        if (parse_number(port.substr(1), port_max, "the port") == 0) fail("the port is 0");
        parsed.port = port.substr(1);
    }
    return parsed;
}

}  // namespace

std::string target::name() const {
    if (!path.empty()) return "unix:" + path;
    return (host.contains(':') ? "[" + host + "]" : host) + ":" + port;
}

std::string target::shown() const {
    if (!path.empty())
        return "unix://" + path + (database != 0 ? "?db=" + std::to_string(database) : "");
    const std::string who = user.empty() && password.empty() ? "" : percent_encoded(user) + ":***@";
    return "redis://" + who + name() + "/" + std::to_string(database);
}

target parse_target(std::string_view url) {
    constexpr std::string_view tcp = "redis://";
    constexpr std::string_view local = "unix://";
    if (url.starts_with(tcp)) return parse_tcp(url.substr(tcp.size()));
    if (url.starts_with(local)) return parse_unix(url.substr(local.size()));
    fail("an unknown scheme");
}

std::expected<void, std::string> check_url(std::string_view url) {
    try {
        parse_target(url);
        return {};
    } catch (const std::invalid_argument& why) {
        return std::unexpected(why.what());
    }
}

std::string shown(std::string_view url) {
    try {
        return parse_target(url).shown();
    } catch (const std::invalid_argument&) {
        return "a URL that is not shown";
    }
}

}  // namespace flashsale::redis
