#include "error.hpp"

#include <string>

namespace flashsale::postgres {

namespace {

std::string_view field(const PGresult* result, int which) {
    const char* value = PQresultErrorField(result, which);
    return value ? std::string_view(value) : std::string_view();
}

}  // namespace

bool is_fatal(const PGresult* result) {
    const auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity == "FATAL" || severity == "PANIC";
}

error error_of(const PGresult* result, commit_phase phase) {
    const auto sqlstate = field(result, PG_DIAG_SQLSTATE);
    auto what = classify(sqlstate, is_fatal(result), phase);
    // "cached plan must not change result type": the table was altered; preparing again helps.
    if (sqlstate == "0A000" && field(result, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery") {
        what = error::kind::transient;
    }
    auto message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    if (message.empty()) message = PQresultErrorMessage(result);
    return {what, std::string(sqlstate), std::string(field(result, PG_DIAG_CONSTRAINT_NAME)),
            on_one_line(message)};
}

error make_error(error::kind what, std::string message) {
    return {what, {}, {}, std::move(message)};
}

std::string fault_of(const PGconn* connection) {
    if (!connection) return "out of memory";
    auto fault = on_one_line(PQerrorMessage(connection));
    return fault.empty() ? "the connection was closed" : fault;
}

std::string on_one_line(std::string_view text) {
    std::string line;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto part = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (part.empty() || part.starts_with('\t')) continue;
        if (!line.empty()) line += "; ";
        line += part;
    }
    return line;
}

}  // namespace flashsale::postgres
