#include "durability.hpp"

#include <flashsale/base/fault_points.hpp>

#include "error.hpp"
#include "settings.hpp"

namespace flashsale::postgres {

namespace {

constexpr const char* raise =
    "set_config('synchronous_commit',"
    " CASE WHEN configured IN ('on', 'remote_apply') THEN configured ELSE 'on' END, false)";

std::string setting(const char* name, const std::string& value) {
    return std::string(", set_config('") + name + "', '" + value + "', false)";
}

std::unexpected<error> refuse(std::string why) {
    return std::unexpected(make_error(error::kind::not_durable, std::move(why)));
}

bool reaches_the_disk(std::string_view commit) {
    return commit == "on" || commit == "remote_apply";
}

}  // namespace

std::string session_query(const options& from, int announced_pid) {
    const auto direct = "pg_backend_pid() = " + std::to_string(announced_pid);
    std::string sql = "SELECT ";
    sql += faults::without(faults::guard::synchronous_commit) ? "'on'" : raise;
    sql +=
        ", current_setting('fsync'), current_setting('full_page_writes')"
        ", CASE WHEN " +
        direct +
        " THEN '' ELSE (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') END"
        ", coalesce(current_setting('flashsale.options', true), '')";
    if (!has_options(from)) {
        for (const auto& [name, value] : server_settings(from))
            sql += setting(name, value);
    }
    return sql + " FROM current_setting('synchronous_commit') AS configured";
}

bool is_pooled(const rows& answer) {
    return answer.size() == 1 && !answer.text(0, 3).empty();
}

std::expected<void, error> check_session(const options& from, const rows& answer) {
    if (answer.size() != 1) return refuse("the server does not say how it commits");
    const auto commit = answer.text(0, 0);
    if (!reaches_the_disk(commit)) {
        return refuse("the server's synchronous_commit stays '" + std::string(commit) +
                      "': it would lose orders that were accepted and recorded");
    }
    if (answer.text(0, 1) != "on") {
        return refuse(
            "the server runs with fsync = off: with its machine it would lose, or tear, what was "
            "accepted "
            "and recorded; set fsync = on and load its configuration again");
    }
    if (answer.text(0, 2) != "on") {
        return refuse(
            "the server runs with full_page_writes = off: a page that its machine wrote by half "
            "could not "
            "be mended; set full_page_writes = on and load its configuration again");
    }
    if (is_pooled(answer) && !reaches_the_disk(answer.text(0, 3))) {
        return refuse(
            "behind a pooler synchronous_commit must not depend on what a session sets, "
            "and is '" +
            std::string(answer.text(0, 3)) +
            "' by itself: ALTER ROLE … SET synchronous_commit = on, and let the pooler "
            "connect again");
    }
    if (has_options(from) && answer.text(0, 4) != "kept") {
        return refuse(
            "a pooler has dropped `options` of the URL: take them out of it, and set them for the "
            "role");
    }
    return {};
}

}  // namespace flashsale::postgres
