#include "sqlstate.hpp"

#include <catch2/catch.hpp>

using namespace flashsale::postgres;

TEST_CASE("postgres sqlstate: each says what the caller does") {
    struct row {
        const char* sqlstate;
        error::kind expected;
    };
    using enum error::kind;
    const auto [sqlstate, expected] = GENERATE(values<row>({
        {"23505", unique_violation},
        {"23514", data},       // check_violation
        {"23503", data},       // foreign_key_violation
        {"23502", data},       // not_null_violation
        {"22003", data},       // numeric_value_out_of_range
        {"22P02", data},       // invalid_text_representation
        {"22021", data},       // character_not_in_repertoire
        {"40001", transient},  // serialization_failure
        {"40P01", transient},  // deadlock_detected
        {"53100", transient},  // disk_full
        {"53300", transient},  // too_many_connections
        {"55P03", transient},  // lock_not_available
        {"57014", transient},  // query_canceled
        {"57P01", transient},  // admin_shutdown
        {"57P03", transient},  // cannot_connect_now
        {"58030", transient},  // io_error
        {"25006", transient},  // read_only_sql_transaction
        {"25P03", transient},  // idle_in_transaction_session_timeout
        {"26000", transient},  // invalid_sql_statement_name
        {"40003", outcome_unknown},
        {"42601", other},  // syntax_error
        {"42P01", other},  // undefined_table
        {"25P02", other},  // in_failed_sql_transaction
        {"08P01", other},  // protocol_violation
        {"P0001", other},  // raise_exception
        {"XX000", other},
        {"", other},
    }));
    CAPTURE(sqlstate);
    CHECK(classify(sqlstate, false, commit_phase::before) == expected);
}

TEST_CASE("postgres sqlstate: before the commit even a fatal error means rolled back") {
    CHECK(classify("57P01", true, commit_phase::before) == error::kind::transient);
}

TEST_CASE("postgres sqlstate: during the commit a shutdown or a cancel leaves the outcome open") {
    const auto phase = commit_phase::perhaps_committed;
    CHECK(classify("57P01", true, phase) == error::kind::outcome_unknown);
    CHECK(classify("57014", false, phase) == error::kind::outcome_unknown);
    CHECK(classify("XX000", true, phase) == error::kind::outcome_unknown);
    CHECK(classify("23505", false, phase) == error::kind::unique_violation);
    CHECK(classify("40001", false, phase) == error::kind::transient);
}
