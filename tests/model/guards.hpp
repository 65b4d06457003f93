#pragma once

// The guards of the protocol that can be taken out, one at a time, to see that the model notices.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flashsale::model {

enum class guard {
    none,
    outbox,           ///< a grant leaves its event in the outbox
    idempotency,      ///< a key that was granted is not granted again
    returning,        ///< side effects only for rows that were new
    server_identity,  ///< the scripts know the server they were loaded into
    epoch,            ///< an event that is older than the fence is not recorded unasked
    wait_d,           ///< a rebuild waits D
    barrier,          ///< a rebuild waits until the recorder has recorded its barrier
    mandatory,        ///< a message that no queue takes is not confirmed
    ack_after_both,   ///< acknowledged and pruned only after both databases have committed
    supplied,         ///< the gate remembers how much of `supplied` it has applied
    cut_at_barrier,   ///< a barrier is recorded only after both databases have what is before it
    survivors,        ///< a rebuild looks for every surviving outbox entry in the databases
    fences_last,      ///< events are late once the survivors are recorded, not from a barrier on
    fences_held,      ///< the recorder writes by the fence as it is then, however long it slept
    begun,         ///< a rebuild that was begun over an open gate is done, whichever process dies
    unbinding,     ///< a rebuild takes away the way into the log of every gate before it
    own_token,     ///< each epoch has a token of its own, and what it grants goes under that
    return_stops,  ///< a gate whose events come back is asked for nothing more
    fresh_token,   ///< the reconciler binds a token that was never bound, if the database agrees
    fence_looked_at,  ///< before an order is said not to exist, whether a newer gate has it
    newest_gate,      ///< the reconciler leaves alone a gate that is not the newest
    // Of what becomes of orders.
    compare_and_set,  ///< an order's state changes from what it is, not from what it was once
    one_decision,     ///< the user database decides about a payment once
    entry_once,       ///< a refund, or a deposit, is one entry of the balance
    movement_once,    ///< units come back to the record once
    cumulative,       ///< the gate is told what buyers have returned in all, and adds what is new
    return_due,       ///< units are due until the gate knows of them
    newest_told,      ///< and until the newest gate does
};

std::string_view name_of(guard one);
std::optional<guard> guard_of(std::string_view name);
std::span<const guard> all_guards();

/// The script without the guard; unchanged if the guard is not in it.
std::string script_without(guard one, std::string source);
/// Whether only orders that are held, paid for or cancelled can show it.
bool is_of_life(guard one);
/// Whether the guard is one of the scripts'.
bool is_of_scripts(guard one);

}  // namespace flashsale::model
