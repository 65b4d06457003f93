#include "sqlstate.hpp"

namespace flashsale::postgres {

error::kind classify(std::string_view sqlstate, bool fatal, commit_phase phase) {
    using enum error::kind;
    if (sqlstate == "40003") return outcome_unknown;  // statement_completion_unknown
    // A cancel or a shutdown that struck during the commit is reported after it.
    if (phase == commit_phase::perhaps_committed && (fatal || sqlstate.starts_with("57"))) {
        return outcome_unknown;
    }
    if (sqlstate == "23505") return unique_violation;
    for (const auto prefix : {"22", "23"}) {
        if (sqlstate.starts_with(prefix)) return data;
    }
    // 25006: a server in recovery or set read-only. 25P03: idle in transaction for too long.
    // 26000: the statement's PREPARE failed; the next use prepares it again. 58: the disk.
    for (const auto prefix : {"40", "53", "55", "57", "58", "25006", "25P03", "26000"}) {
        if (sqlstate.starts_with(prefix)) return transient;
    }
    return other;
}

}  // namespace flashsale::postgres
