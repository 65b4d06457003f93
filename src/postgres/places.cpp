#include "places.hpp"

#include <algorithm>

#include <flashsale/base/resolve.hpp>

namespace flashsale::postgres {

namespace {

std::vector<std::string> list_of(const conninfo& settings, const std::string& keyword) {
    std::vector<std::string> out;
    const auto found = settings.find(keyword);
    if (found == settings.end() || found->second.empty()) return out;
    std::string_view left = found->second;
    while (true) {
        const auto comma = left.find(',');
        out.emplace_back(left.substr(0, comma));
        if (comma == std::string_view::npos) return out;
        left.remove_prefix(comma + 1);
    }
}

void set_or_erase(conninfo& in, const std::string& keyword, const std::string& value) {
    if (value.empty()) {
        in.erase(keyword);
    } else {
        in[keyword] = value;
    }
}

/// A name, which libpq would resolve.
bool needs_address(const conninfo& place) {
    const auto host = place.find("host");
    return host != place.end() && !place.contains("hostaddr") && host->second.front() != '/' &&
           host->second.front() != '@';
}

}  // namespace

std::vector<conninfo> hosts_of(const conninfo& settings) {
    const auto hosts = list_of(settings, "host");
    const auto addresses = list_of(settings, "hostaddr");
    const auto ports = list_of(settings, "port");
    const std::size_t count = std::max<std::size_t>({1, hosts.size(), addresses.size()});
    const auto nth = [](const std::vector<std::string>& of, std::size_t i) {
        return i < of.size() ? of[i] : std::string();
    };
    std::vector<conninfo> out;
    for (std::size_t i = 0; i < count; ++i) {
        conninfo one = settings;
        set_or_erase(one, "host", nth(hosts, i));
        set_or_erase(one, "hostaddr", nth(addresses, i));
        // As in libpq: one port is every host's.
        set_or_erase(one, "port", ports.size() == 1 ? ports.front() : nth(ports, i));
        out.push_back(std::move(one));
    }
    return out;
}

std::expected<std::vector<conninfo>, std::string> places_of(const conninfo& settings) {
    std::vector<conninfo> out;
    std::string faults;
    for (const conninfo& host : hosts_of(settings)) {
        if (!needs_address(host)) {
            out.push_back(host);
            continue;
        }
        const auto addresses = addresses_of(host.at("host"));
        if (!addresses) {
            faults.append(faults.empty() ? "" : "; ").append(addresses.error());
            continue;
        }
        for (const std::string& address : *addresses) {
            out.push_back(host);
            out.back()["hostaddr"] = address;
        }
    }
    if (out.empty()) return std::unexpected(faults);
    return out;
}

std::string name_of_place(const conninfo& place) {
    const auto value = [&](const char* keyword) {
        const auto found = place.find(keyword);
        return found == place.end() ? std::string() : found->second;
    };
    const std::string host = value("host").empty() ? value("hostaddr") : value("host");
    const std::string port = value("port");
    if (host.empty()) return {};
    const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port.empty() ? shown : shown + ":" + port;
}

}  // namespace flashsale::postgres
