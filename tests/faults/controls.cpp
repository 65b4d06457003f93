#include "cell.hpp"

namespace flashsale::test {

std::vector<control> controls() {
    return {
        {"outbox", "crash at after_reserve"},
        {"idempotency_record", "redis: reply cut after execution, 1% of calls"},
        {"returning", "crash at before_ack"},
        {"incarnation", "redis: an older copy restored"},
        {"generation", "SIGSTOP across a reopening"},
        {"closing", "reopened for no reason, with a batch on its way"},
        {"waiting", "redis: FLUSHALL, with a batch on its way"},
        {"barrier", "redis: FLUSHALL while the record is behind"},
        {"survivors", "rabbitmq: a reopening's survivors purged, not its barrier"},
        {"room", "reopening at maxmemory 1.3 times the gate"},
        {"room", "five attempts that die while loading, then one that must open"},
        {"mandatory", "rabbitmq: the binding removed, then FLUSHALL"},
        {"ack_after_commit", "the recorder dies uncommitted, then FLUSHALL"},
        {"given", "redis: SCRIPT FLUSH"},
        {"stepping_aside", "recorder: the active one alone cut off from PostgreSQL, refused"},
        {"pace", "recorder: a process with its clock an hour ahead"},
        {"synchronous_commit", "postgres: synchronous_commit=off and SIGKILL"},
    };
}

}  // namespace flashsale::test
