#include "settings.hpp"

#include <libpq-fe.h>

#include <memory>

namespace flashsale::postgres {

namespace {

struct conninfo_freer {
    void operator()(PQconninfoOption* parsed) const noexcept { PQconninfoFree(parsed); }
};
struct memory_freer {
    void operator()(char* memory) const noexcept { PQfreemem(memory); }
};

}  // namespace

std::vector<std::pair<const char*, std::string>> server_settings(const options& from) {
    const auto ms = [](std::chrono::milliseconds value) { return std::to_string(value.count()); };
    std::vector<std::pair<const char*, std::string>> all{
        {"statement_timeout", ms(from.statement_timeout)},
        {"lock_timeout", ms(from.lock_timeout)},
        {"idle_in_transaction_session_timeout",
         ms(from.statement_timeout + std::chrono::seconds(10))},
        {"TimeZone", "UTC"}};
    if (from.by_index) {
        for (const char* other : {"enable_seqscan", "enable_hashjoin", "enable_mergejoin"})
            all.emplace_back(other, "off");
    }
    return all;
}

bool has_options(const options& from) {
    const auto settings = connection_settings(from);
    return settings && settings->contains("options");
}

std::expected<conninfo, std::string> connection_settings(const options& from) {
    char* complaint = nullptr;
    const std::unique_ptr<PQconninfoOption, conninfo_freer> parsed(
        PQconninfoParse(from.url.c_str(), &complaint));
    const std::unique_ptr<char, memory_freer> freed(complaint);
    if (from.url.empty() || !parsed) {
        return std::unexpected<std::string>(
            "not a PostgreSQL URL; expected "
            "postgresql://[user[:password]@]host[:port]/database[?parameters], special characters "
            "as %xx");
    }

    conninfo settings;
    for (const auto* option = parsed.get(); option->keyword; ++option) {
        if (option->val) settings[option->keyword] = option->val;
    }
    settings.try_emplace("application_name", from.application_name);
    // A peer that vanished: found idle after about 11 s, with unacknowledged data after 10 s.
    settings.try_emplace("keepalives_idle", "5");
    settings.try_emplace("keepalives_interval", "2");
    settings.try_emplace("keepalives_count", "3");
    settings.try_emplace("tcp_user_timeout", "10000");
    // The default "prefer" asks for Kerberos first and may open the socket twice.
    settings.try_emplace("gssencmode", "disable");
    settings["client_encoding"] = "UTF8";
    if (const auto own = settings.find("options"); own != settings.end() && own->second.empty()) {
        settings.erase(own);
    } else if (own != settings.end()) {
        std::string ours;
        for (const auto& [name, value] : server_settings(from))
            ours.append("-c ").append(name).append("=").append(value).append(" ");
        own->second = ours + own->second + " -c flashsale.options=kept";
    }
    settings.erase("connect_timeout");
    return settings;
}

std::string quote_identifier(std::string_view name) {
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

}  // namespace flashsale::postgres
