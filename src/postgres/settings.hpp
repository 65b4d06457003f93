#pragma once

// From `options` to what libpq is told, and names derived from a URL.

#include <expected>
#include <flashsale/postgres.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flashsale::postgres {

/// libpq's connection keywords and their values.
using conninfo = std::map<std::string, std::string>;

/// The URL's settings with ours beside them. The URL wins, except for the client's encoding, which
/// is UTF8, and connect_timeout, which only libpq's blocking calls obey. The fault never repeats
/// the URL: it may hold a password.
std::expected<conninfo, std::string> connection_settings(const options& from);

/// Of the session, beside synchronous_commit.
std::vector<std::pair<const char*, std::string>> server_settings(const options& from);

/// Whether the URL says `options` (PGOPTIONS is not looked at). They win over server_settings(),
/// travel with them, and are marked, so that it shows when a pooler has dropped them.
bool has_options(const options& from);

/// As in SQL: "flash""sale".
std::string quote_identifier(std::string_view name);

/// How long we wait for a statement: the server's own timeout should come first.
inline std::chrono::milliseconds reply_timeout(const options& from) {
    return from.statement_timeout + std::chrono::seconds(1);
}

}  // namespace flashsale::postgres
