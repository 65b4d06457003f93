#pragma once

// The places at which the fault matrix's own executable (tests/faults/CMakeLists.txt, which defines
// FLASHSALE_CRASH_POINTS) can be made to die or to fall asleep, and the guards that it can be made
// to do without. For all others pass() is empty and without() is a constant; but the simulation
// (tests/model) compiles src/recovery and src/order/life with both, and answers for itself.
//
//   FLASHSALE_CRASH=after_publish:17   ends the process, at once, on the 17th pass of that place
//   FLASHSALE_STOP=after_publish:17    stops it there (SIGSTOP); the test sends SIGCONT
//   FLASHSALE_WITHOUT=outbox,supplied     leaves these guards out
//
// A name that is not listed here ends the process as it starts, so that no test is green for a
// fault that never was.

#include <array>
#include <cstdint>
#include <string_view>

namespace flashsale::faults {

enum class place : std::uint8_t {
    after_reserve,      ///< the gate has granted, and only the gate knows
    before_publish,     ///< a message is made up, and not sent
    after_publish,      ///< it is sent, and not confirmed
    after_confirm,      ///< it is confirmed, and no client is answered
    after_deliver,      ///< the recorder has a batch in hand
    before_commit,      ///< the order database has it all, uncommitted
    after_commit,       ///< committed there, and the recorder has not heard
    between_databases,  ///< in the order database, not in the stock database
    before_ack,         ///< in both, and still in the queue
    before_prune,       ///< acknowledged, and still in the outbox
    // Behind each step of a rebuild, in the order of src/recovery/rebuild_plan.hpp.
    rebuild_raise_epoch,
    rebuild_unbind,
    rebuild_prove_unbound,
    rebuild_close_gate,
    rebuild_wait_deadline,
    rebuild_bind,
    rebuild_publish_survivors,
    rebuild_send_barrier,
    rebuild_await_barrier,
    rebuild_find_survivors,
    rebuild_raise_fences,
    rebuild_begin_loading,
    rebuild_remove_older,
    rebuild_load,
    rebuild_mark_open,
    rebuild_open_gate,
    // Of the clerk (src/order/life/life_work.hpp).
    payment_started,       ///< the order is PAYING, and the user database does not know
    payment_decided,       ///< the user database has decided, and the order is PAYING
    payment_finished,      ///< the order has the outcome, and no client is answered
    order_ended,           ///< it is cancelled or expired, and its units are not returned
    units_returned,        ///< the stock database has them, and the gate does not know
    gate_told,             ///< it knows, and the order says that they are to be returned
    payment_received,      ///< money from outside is in the record, and not decided
    payment_refused,       ///< what has to go back is owed, and the rest is not decided
    order_refunded,        ///< its payment is owed, and neither money nor units are back
    refund_given,          ///< the user database has the money, and the refund is pending
    replacement_granted,   ///< late money has the units, and only the gate knows
    replacement_recorded,  ///< it is an order, and not paid for
};
inline constexpr std::array<std::string_view, 38> place_names{"after_reserve",
                                                              "before_publish",
                                                              "after_publish",
                                                              "after_confirm",
                                                              "after_deliver",
                                                              "before_commit",
                                                              "after_commit",
                                                              "between_databases",
                                                              "before_ack",
                                                              "before_prune",
                                                              "rebuild_raise_epoch",
                                                              "rebuild_unbind",
                                                              "rebuild_prove_unbound",
                                                              "rebuild_close_gate",
                                                              "rebuild_wait_deadline",
                                                              "rebuild_bind",
                                                              "rebuild_publish_survivors",
                                                              "rebuild_send_barrier",
                                                              "rebuild_await_barrier",
                                                              "rebuild_find_survivors",
                                                              "rebuild_raise_fences",
                                                              "rebuild_begin_loading",
                                                              "rebuild_remove_older",
                                                              "rebuild_load",
                                                              "rebuild_mark_open",
                                                              "rebuild_open_gate",
                                                              "payment_started",
                                                              "payment_decided",
                                                              "payment_finished",
                                                              "order_ended",
                                                              "units_returned",
                                                              "gate_told",
                                                              "payment_received",
                                                              "payment_refused",
                                                              "order_refunded",
                                                              "refund_given",
                                                              "replacement_granted",
                                                              "replacement_recorded"};

/// Each is there for a reason, and the matrix shows it by leaving it out.
enum class guard : std::uint8_t {
    outbox,              ///< a grant's event is kept at the gate until it is recorded
    idempotency_record,  ///< the gate remembers what a key was given
    returning,           ///< only rows that were new change the stock
    server_identity,     ///< the gate is closed if the server is not the one it was loaded into
    mandatory,           ///< a message that no queue takes comes back
    ack_after_commit,    ///< a batch is acknowledged when both databases have it
    supplied,            ///< the gate adds what it has not applied yet, and no more
    epoch,               ///< a process that believes in an older gate is refused
    closing,             ///< a gate grants nothing while it is rebuilt
    waiting,             ///< what was granted before is confirmed, or never answered 201
    barrier,             ///< all that counts is recorded before it is loaded
    survivors,           ///< and looked for, because the log may lose it after all
    unbinding,           ///< the log takes nothing of an older gate once a rebuild has begun
    proof,               ///< which is tried, because another's queue may be bound too
    one_binder,          ///< a token is bound only by the opener of its gate
    return_stops,        ///< a token whose events come back is asked for nothing more
    publication_start,   ///< a repeat has no more time than the publication it joins
    boot_clock,          ///< the confirm deadline passes while the machine sleeps
    newest_gate,         ///< the reconciler leaves a gate alone that is not the newest
    identity,            ///< what another deployment has made is refused, and another's settings
    room,                ///< what is left of older gates goes before another is loaded
    stepping_aside,      ///< a process that cannot record lets another one do it
    pace,                ///< the recorder rests no longer than what waits for it may
    synchronous_commit,  ///< what PostgreSQL has committed is on its disk
    record_check,        ///< a gate that its record does not fit is shut
    own_token,           ///< what is granted under an epoch goes under a token of its own
    begun,               ///< a rebuild that was begun is done, though its gate is open still
    compare_and_set,     ///< an order is cancelled only from a state that can be
    one_decision,        ///< a payment is decided once; what comes later reads it
    return_due,          ///< an ended order is due until the gate knows of its units
};
inline constexpr std::array<std::string_view, 30> guard_names{"outbox",
                                                              "idempotency_record",
                                                              "returning",
                                                              "server_identity",
                                                              "mandatory",
                                                              "ack_after_commit",
                                                              "supplied",
                                                              "epoch",
                                                              "closing",
                                                              "waiting",
                                                              "barrier",
                                                              "survivors",
                                                              "unbinding",
                                                              "proof",
                                                              "one_binder",
                                                              "return_stops",
                                                              "publication_start",
                                                              "boot_clock",
                                                              "newest_gate",
                                                              "identity",
                                                              "room",
                                                              "stepping_aside",
                                                              "pace",
                                                              "synchronous_commit",
                                                              "record_check",
                                                              "own_token",
                                                              "begun",
                                                              "compare_and_set",
                                                              "one_decision",
                                                              "return_due"};

/// Of a process that ended at a crash point.
inline constexpr int crash_exit_code = 86;

#ifdef FLASHSALE_CRASH_POINTS

/// Any thread.
void pass(place where);
/// The same answer for as long as the process lives. Any thread.
bool without(guard which);
/// `text`, with `instead` for `words` (which must be in it) if the guard is to be left out. For
/// SQL and scripts; lives as long as the process.
std::string_view without(guard which, std::string_view text, std::string_view words,
                         std::string_view instead);

#else

inline void pass(place) {}
constexpr bool without(guard) {
    return false;
}
constexpr std::string_view without(guard, std::string_view text, std::string_view,
                                   std::string_view) {
    return text;
}

#endif

}  // namespace flashsale::faults
