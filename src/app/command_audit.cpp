#include <cstdio>
#include <thread>

#include <flashsale/app.hpp>
#include <flashsale/audit/reader.hpp>
#include <flashsale/audit/report.hpp>

#include "commands.hpp"
#include "compose.hpp"

namespace flashsale::app {

namespace {

int audit_once(audit::audit_reader& reader, const audit_request& asked, bool rested) {
    const audit::audit_record record = reader.read();
    const audit::audit_result result = audit::add_up(record);
    const std::string report =
        asked.json ? audit_report_json(record, result) : audit_report_text(record, result);
    std::fputs(report.c_str(), stdout);
    std::fflush(stdout);
    if (!result.holds()) return exit_does_not_hold;
    if (record.gate_fault) return exit_unavailable;
    if (!rested) {
        std::fputs("flashsale: the backlog was not recorded in the time given\n", stderr);
        return exit_does_not_hold;
    }
    return exit_ok;
}

}  // namespace

int run_audit(const site& at, const audit_request& asked) {
    audit::audit_reader reader(at.record_view(), ms_of(at.settings.process.start_timeout_ms));
    const bool rested =
        asked.wait_s == 0 || reader.wait_for_rest(std::chrono::duration<double>(asked.wait_s));
    int code = audit_once(reader, asked, rested);
    // A gate that is being rebuilt is no fault of a sum: it is looked at again.
    while (asked.watch_s > 0 && code != exit_does_not_hold) {
        std::this_thread::sleep_for(std::chrono::duration<double>(asked.watch_s));
        code = audit_once(reader, asked, true);
    }
    return code;
}

}  // namespace flashsale::app
