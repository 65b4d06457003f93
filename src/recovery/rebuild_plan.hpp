#pragma once

// The steps by which a shard's gate is rebuilt from the record, and the arithmetic that lets it be
// opened; no I/O.
//
//   raise_epoch   in the stock database, with a token of its own: every earlier attempt ends
//   unbind             every other token: nothing that an older gate grants gets into the log from
//                      here on, whichever process has granted it, wherever that gate is
//   prove_unbound      by trying
//   close_gate         nothing of an older epoch is granted from here on, if it can be reached
//   wait_deadline      the confirm deadline, from unbind on: what got into the log before, and will
//                      ever be answered as accepted, has been confirmed by then
//   bind               the own token
//   publish_survivors  outbox entries that are there still
//   send_barrier       of the new epoch, behind all that
//   await_barrier      until it is recorded, and so all that the log still had
//   find_survivors     in the databases; if one is missing, the log lost it on the way, and all go
//                      out again with another barrier
//   raise_fences       of both databases: what of an older epoch is not recorded now is late
//   begin_loading      a header that grants nothing, and lets no older attempt load any more
//   remove_older       what older gates and attempts have left: two gates may not fit
//   load               orders, parked events, reductions, given; what differs is mended
//   mark_open          in the stock database, if the attempt is still the newest
//   open_gate          what this attempt has loaded, and nothing else
//
// The fence, in ten lines. An order is accepted when the log has confirmed its event, and an event
// is published under the token of the gate that granted it (src/stock/redis/lua/reserve.lua tells
// it with the grant). Only the opener of an epoch binds its token, once, before its gate opens; no
// other part mends a binding. So when unbind has returned, the log takes nothing more of any older
// gate: not of one that could not be closed, on a server that is cut off, under another key prefix,
// or asked by a process that slept. What the broker had routed before, it may still be putting into
// the queue; a process counts a confirm only within the deadline D of the start of its publication,
// so what it counts was confirmed, and in the queue, before D from unbind was over, and the barrier
// comes after that. Whatever is published later comes back, and is answered as unknown. Closing the
// old gate only spares its buyers that answer: it is not what makes the rest true.
//
// It may end between any two of them. The next attempt begins with an epoch of its own, and
// what the one before still does is refused by the database or by the header.
//
// Nothing needs an older gate's keys once begin_loading is done:
//   - its stock, buyers and keys count for nothing since it was closed, or was found not to be this
//     server's: the record is what counts, and the header, which is all that a script asks, is
//     ours;
//   - its outbox had what may be nowhere else. find_survivors has seen each of those events in the
//     databases (as recorded, parked or late), committed, and none can have come since: only a
//     grant under its header adds one. So an attempt that dies behind the removal leaves nothing
//     undone: the next one finds no survivors, and there are none to be found;
//   - a recorder that prunes an event there finds the entry gone, which is what it wants;
//   - an older attempt that still looks for survivors finds none, and is refused at begin_loading,
//     at load or at mark_open, as it would be anyway.
// It comes behind begin_loading because until then an older attempt may still be loading. It
// removes by name, older epochs only: what a newer attempt has loaded stays.

#include <flashsale/base/time.hpp>
#include <flashsale/stock/allocation.hpp>

#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace flashsale::recovery {

class rebuild_plan {
public:
    enum class step {
        raise_epoch,
        unbind,
        prove_unbound,
        close_gate,
        wait_deadline,
        bind,
        publish_survivors,
        send_barrier,
        await_barrier,
        find_survivors,
        raise_fences,
        begin_loading,
        remove_older,
        load,
        mark_open,
        open_gate,
        done,
        given_up,
    };

    explicit rebuild_plan(std::chrono::milliseconds confirm_deadline)
        : confirm_deadline_(confirm_deadline) {}

    step next() const { return step_; }

    /// The step next() named is done.
    void succeeded(deadline now);
    /// It could not be done, or the attempt is not the newest: nothing further may be done.
    void failed() { step_ = step::given_up; }
    /// The log has lost what was published, or may have: all of it goes out again, and then the
    /// barrier.
    void publish_again();

    /// While wait_deadline is next: how long still.
    std::chrono::milliseconds left(deadline now) const;

private:
    std::chrono::milliseconds confirm_deadline_;
    step step_ = step::raise_epoch;
    deadline unbound_at_{};
};

std::string_view name_of(rebuild_plan::step what);

/// Whether what was loaded is what the stock database says. An allocation whose movement the
/// ledger will never take is missing in the product's stock, but not at the gate.
class rebuild_arithmetic {
public:
    /// Once for each, however often it is told.
    void has_no_movement(const stock::allocation& taken);
    /// It has got one since, or had one after all.
    void has_movement(const stock::allocation& taken);

    /// `stock` as the database has it, `free` as it was loaded.
    bool fits(std::int64_t product_id, std::int64_t stock, std::int64_t free) const;

private:
    std::unordered_map<stock::allocation_id, std::int64_t, stock::allocation_id_hash> seen_;
    std::unordered_map<std::int64_t, std::int64_t> unmoved_;
};

}  // namespace flashsale::recovery
