// What a URL may say is libpq's to know, so libpq is asked: once to take it apart, and once to
// begin a connection that leads nowhere, because it looks at many values only then. What it
// complains about is not repeated: it would quote the URL.

#include <algorithm>
#include <charconv>

#include <boost/asio/ip/address.hpp>

#include <flashsale/base/url_text.hpp>

#include "connection.hpp"
#include "places.hpp"

namespace flashsale::postgres {

namespace {

using checked = std::expected<void, std::string>;

constexpr const char* form =
    "expected postgresql://[user[:password]@]host[:port][,host[:port]…]/database[?parameters], "
    "special characters as %xx";

std::unexpected<std::string> wrong(const std::string& what) {
    return std::unexpected(what + "; " + form);
}

bool is_number(std::string_view text, long min, long max) {
    long number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    return ec == std::errc{} && end == text.data() + text.size() && number >= min && number <= max;
}

std::size_t parts_of(const conninfo& settings, const char* keyword) {
    const auto found = settings.find(keyword);
    if (found == settings.end() || found->second.empty()) return 0;
    return 1 + static_cast<std::size_t>(std::ranges::count(found->second, ','));
}

checked check_hosts(const conninfo& settings) {
    const std::size_t hosts = parts_of(settings, "host"),
                      addresses = parts_of(settings, "hostaddr"),
                      ports = parts_of(settings, "port");
    const std::size_t count = std::max<std::size_t>({1, hosts, addresses});
    if (addresses != 0 && hosts != 0 && addresses != hosts)
        return wrong("not as many hostaddr as hosts");
    if (ports > 1 && ports != count) return wrong("not as many ports as hosts");
    for (const conninfo& one : hosts_of(settings)) {
        if (const auto host = one.find("host");
            host != one.end() && host->second.front() != '/' && !is_host_text(host->second))
            return wrong("a character in the host that no host has");
        if (const auto port = one.find("port");
            port != one.end() && !is_number(port->second, 1, 65'535))
            return wrong("a port that is no number from 1 to 65535");
        if (const auto address = one.find("hostaddr"); address != one.end()) {
            boost::system::error_code unparsed;
            boost::asio::ip::make_address(address->second, unparsed);
            if (unparsed) return wrong("a hostaddr that is no numeric address");
        }
    }
    return {};
}

checked check_parameters(const conninfo& settings) {
    // libpq reads these when a socket is there, too late to be told about here.
    for (const char* keyword : {"keepalives", "keepalives_idle", "keepalives_interval",
                                "keepalives_count", "tcp_user_timeout"}) {
        if (const auto found = settings.find(keyword);
            found != settings.end() && !is_number(found->second, 0, 2'147'483'647))
            return wrong(std::string("the parameter ") + keyword + " is no number");
    }
    if (const auto found = settings.find("target_session_attrs"); found != settings.end()) {
        if (found->second != "any" && found->second != "read-write" && found->second != "primary")
            return wrong(
                "the parameter target_session_attrs is not any, read-write or primary, and there "
                "is something to be written");
    }
    if (settings.contains("replication"))
        return wrong("the parameter replication is not for those who write");
    return {};
}

/// Its hosts are sockets that do not exist, so that nothing is sent and nothing resolved.
checked check_by_beginning(conninfo settings) {
    constexpr const char* nowhere = "/nonexistent/flashsale";
    settings.erase("hostaddr");
    settings["host"] = nowhere;
    if (const auto port = settings.find("port"); port != settings.end())
        port->second.erase(std::min(port->second.find(','), port->second.size()));
    const auto begun = start_connecting(settings);
    const std::string_view complaint = begun ? PQerrorMessage(begun.get()) : "";
    if (complaint.starts_with("connection to server on socket")) return {};
    return wrong("a parameter with a value that libpq does not take");
}

}  // namespace

std::expected<void, std::string> check_url(const std::string& url) {
    if (!url.starts_with("postgresql://") && !url.starts_with("postgres://"))
        return wrong("an unknown scheme");
    if (url.find('\0') != std::string::npos || url.find("%00") != std::string::npos)
        return wrong("a zero byte");
    const auto settings = connection_settings({.url = url});
    if (!settings) return std::unexpected(settings.error());
    if (auto done = check_hosts(*settings); !done) return done;
    if (auto done = check_parameters(*settings); !done) return done;
    return check_by_beginning(*settings);
}

std::string shown(const std::string& url) {
    if (!check_url(url)) return "a URL that is not shown";
    const auto settings = connection_settings({.url = url});
    const auto value = [&](const char* keyword) {
        const auto found = settings->find(keyword);
        return found == settings->end() ? std::string() : percent_encoded(found->second);
    };
    std::string out = "postgresql://" + value("user");
    if (settings->contains("password")) out += ":***";
    if (out.size() > std::string_view("postgresql://").size()) out += '@';
    bool first = true;
    for (const conninfo& one : hosts_of(*settings)) {
        out.append(first ? "" : ",").append(name_of_place(one));
        first = false;
    }
    return out + "/" + value("dbname");
}

}  // namespace flashsale::postgres
