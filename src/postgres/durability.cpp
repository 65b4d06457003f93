#include "durability.hpp"

#include <flashsale/base/fault_points.hpp>

#include "error.hpp"

namespace flashsale::postgres {

namespace {

constexpr const char* raise_and_read =
    "SELECT set_config('synchronous_commit',"
    "                  CASE WHEN configured IN ('on', 'remote_apply') THEN configured ELSE 'on' "
    "END,"
    "                  false),"
    "       current_setting('fsync'), current_setting('full_page_writes')"
    " FROM current_setting('synchronous_commit') AS configured";
constexpr const char* read_alone =
    "SELECT 'on', current_setting('fsync'), current_setting('full_page_writes')";

std::unexpected<error> refuse(std::string why) {
    return std::unexpected(make_error(error::kind::not_durable, std::move(why)));
}

}  // namespace

const char* durability_query() {
    return faults::without(faults::guard::synchronous_commit) ? read_alone : raise_and_read;
}

std::expected<void, error> check_durable(const rows& answer) {
    if (answer.size() != 1) return refuse("the server does not say how it commits");
    const auto commit = answer.text(0, 0);
    if (commit != "on" && commit != "remote_apply") {
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
    return {};
}

}  // namespace flashsale::postgres
