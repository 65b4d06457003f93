#include "cell.hpp"

namespace flashsale::test {

// Not here: return_stops. A process that goes on asking a gate that is shut out is told 'unknown'
// each time, and no sum shows it; the model's control of that name does. Nor own_token and begun,
// which take a rebuild that ends at the wrong moment beside a process that sleeps; those of the
// model show them too.
std::vector<control> controls() {
    return {
        // Here and in the last one the comparison would find the orders missing, and shut the gate.
        {"outbox,record_check", "crash at after_reserve"},
        {"idempotency_record", "redis: reply cut after execution, 1% of calls"},
        // Where a process reconciles, the gate is shut because the record has taken more than it
        // has.
        {"returning", "rabbitmq: connections cut every 200 ms, and no pass of the reconciler"},
        {"server_identity", "redis: an older copy restored"},
        {"barrier", "redis: FLUSHALL while the record is behind"},
        {"survivors", "rabbitmq: a rebuild's survivors purged, not its barrier"},
        {"room", "rebuild at maxmemory 1.3 times the gate"},
        {"room", "five attempts that die while loading, then one that must open"},
        // A rebuild that tries the unbinding needs the same flag, and would not come to its end.
        {"mandatory,proof", "rabbitmq: the binding removed, then FLUSHALL"},
        {"ack_after_commit", "the recorder dies uncommitted, then FLUSHALL"},
        // Such a gate has taken less than the record says, and would be shut and rebuilt for that.
        {"supplied,record_check", "redis: SCRIPT FLUSH"},
        {"returning", "life: crash at units_returned"},
        {"supplied,record_check", "life: crash at gate_told"},
        {"supplied,record_check", "life: holds end while a rebuild is asleep behind rebuild_load"},
        {"one_decision",
         "life: a payer asleep before the debit, while others decide, end and deposit"},
        {"compare_and_set", "life: cancels race payments"},
        {"unbinding", "another key prefix, past a sleeper"},
        {"unbinding", "another database number, past a sleeper"},
        {"unbinding", "master and process cut off together, replica promoted"},
        {"unbinding", "a foreign queue on # and an alternate exchange, master cut off"},
        // Either is enough here: what the log takes late is not counted, what it does not is told.
        {"unbinding,boot_clock", "suspended between grant and publication, past a rebuild"},
        {"proof", "a foreign queue under the gate's own key, master cut off"},
        {"one_binder", "dropped by the broker past a rebuild, and back"},
        {"waiting", "a fresh channel's first message stalled, shorter than the deadline"},
        {"publication_start",
         "a repeat joins a publication under way, beyond the deadline of its start"},
        {"boot_clock", "suspended while its first message is stalled"},
        {"stepping_aside", "recorder: the active one alone cut off from PostgreSQL, refused"},
        {"stepping_aside",
         "lease: its holder alone cut off from Redis, refused, and the gate lost"},
        {"epoch", "two rebuilders, one asleep through its lease"},
        {"pace", "recorder: a process with its clock an hour ahead"},
        {"synchronous_commit,record_check", "postgres: synchronous_commit=off and SIGKILL"},
    };
}

}  // namespace flashsale::test
