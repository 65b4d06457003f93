#include <flashsale/recovery/rebuilder.hpp>
#include <flashsale/recovery/record_loader.hpp>

#include <spdlog/spdlog.h>

#include <ranges>
#include <unordered_map>

#include <flashsale/base/fault_points.hpp>

#include "rebuild_plan.hpp"

namespace flashsale::recovery {

namespace {

using namespace std::chrono_literals;
using done = std::expected<void, std::string>;

constexpr auto publish_patience = 10s;
constexpr auto look_interval = 20ms;
constexpr std::chrono::milliseconds breath_max = 50ms;
constexpr auto barrier_again_after = 5s;

class attempt {
public:
    attempt(const ports& uses, const options& with, std::uint32_t shard, const uuid& holder,
            const std::function<void()>& read_anew)
        : uses_(uses),
          with_(with),
          server_(*uses.gates[shard]),
          shard_(shard),
          holder_(holder),
          read_anew_(read_anew),
          plan_(faults::without(faults::guard::waiting) ? 0ms : with.confirm_deadline),
          token_(make_token(uses, shard)) {}

    std::expected<rebuilt, std::string> run() {
        const auto begun = now();
        while (plan_.next() != rebuild_plan::step::done) {
            const auto step = plan_.next();
            done result;
            if (uses_.timing.stopping()) {
                result = std::unexpected("stopping");
            } else if (!left_out(step)) {
                result = take(step);
            }
            if (!result) {
                plan_.failed();
                if (step == rebuild_plan::step::load) remove_own();
                return std::unexpected(std::string(name_of(step)) + ": " + result.error());
            }
            faults::pass(place_behind(step));
            if (plan_.next() == step) plan_.succeeded(now());
        }
        report_.took = std::chrono::duration_cast<std::chrono::milliseconds>(now() - begun);
        return report_;
    }

private:
    /// One that was never used.
    static uuid make_token(const ports& uses, std::uint32_t shard) {
        if (faults::without(faults::guard::own_token)) {
            if (const auto known = uses.registry.read(shard)) return known->token;
        }
        return uses.make_id(shard);
    }

    static faults::place place_behind(rebuild_plan::step what) {
        using enum faults::place;
        static_assert(static_cast<int>(rebuild_open_gate) - static_cast<int>(rebuild_unbind) ==
                      static_cast<int>(rebuild_plan::step::open_gate) -
                          static_cast<int>(rebuild_plan::step::unbind));
        return static_cast<faults::place>(static_cast<int>(rebuild_raise_epoch) +
                                          static_cast<int>(what));
    }

    static bool left_out(rebuild_plan::step what) {
        using enum rebuild_plan::step;
        return (what == close_gate && faults::without(faults::guard::closing)) ||
               ((what == unbind || what == prove_unbound) &&
                faults::without(faults::guard::unbinding)) ||
               (what == prove_unbound && faults::without(faults::guard::proof)) ||
               (what == wait_deadline && faults::without(faults::guard::waiting)) ||
               ((what == send_barrier || what == await_barrier || what == find_survivors) &&
                faults::without(faults::guard::barrier)) ||
               (what == find_survivors && faults::without(faults::guard::survivors)) ||
               (what == remove_older && faults::without(faults::guard::room));
    }

    done take(rebuild_plan::step what) {
        using enum rebuild_plan::step;
        switch (what) {
            case raise_epoch:
                return raise();
            case unbind:
                return unbind_older();
            case prove_unbound:
                return prove();
            case close_gate:
                return close();
            case wait_deadline:
                return rest(plan_.left(now()));
            case bind:
                return uses_.log.bind(token_);
            case publish_survivors:
                return survivors();
            case send_barrier:
                return barrier();
            case await_barrier:
                return wait_for_barrier();
            case find_survivors:
                return look_for_survivors();
            case raise_fences:
                return fences();
            case begin_loading:
                return must(gate_->begin(), "a newer gate is there");
            case remove_older:
                return remove_left();
            case load:
                return load_record();
            case mark_open:
                return must(uses_.registry.finish_rebuild(shard_, report_.epoch),
                            "overtaken by a newer attempt");
            case open_gate:
                return must(gate_->open(), "what was loaded is not there any more");
            case done:
            case given_up:
                break;
        }
        return {};
    }

    static done must(const std::expected<bool, std::string>& result, const char* otherwise) {
        if (!result) return std::unexpected(result.error());
        if (!*result) return std::unexpected(otherwise);
        return {};
    }

    /// Lets the connections breathe; keeps the lease.
    done rest(std::chrono::milliseconds time) {
        const auto until = now() + time;
        do {
            if (uses_.timing.stopping()) return std::unexpected("stopping");
            if (auto kept = keep_lease(); !kept) return kept;
            uses_.timing.pause(std::clamp(
                std::chrono::ceil<std::chrono::milliseconds>(until - now()), 0ms, breath_max));
        } while (now() < until);
        return {};
    }

    /// A database that is away is waited for; but not, for longer than a lease lasts, the order
    /// database alone: another process may reach it.
    done wait_for_order_database() {
        const auto time = with_.lease;
        const auto at = now();
        if (!away_since_) away_since_ = at;
        if (renewed_at_ >= *away_since_ + time) {
            if (auto answers = uses_.order_database.answers(); !answers) return answers;
            away_since_.reset();  // it is busy
        }
        return rest(look_interval);
    }

    done keep_lease() {
        const auto time = with_.lease;
        if (now() < renewed_at_ + time / 3) return {};
        const auto mine = uses_.registry.renew_rebuild(shard_, holder_, report_.epoch, time);
        if (!mine) return {};  // the database is away; what insists on the epoch comes later
        if (!*mine) return std::unexpected("overtaken by another");
        renewed_at_ = now();
        return {};
    }

    done raise() {
        if (auto usable = server_.attempt(0, token_)->check_server(); !usable) return usable;
        begun_at_ = uses_.timing.wall_clock();
        const auto epoch = uses_.registry.begin_rebuild(shard_, holder_, token_);
        if (!epoch) return std::unexpected(epoch.error());
        if (!*epoch) return std::unexpected("the lease is another's");
        report_.epoch = **epoch;
        renewed_at_ = now();
        gate_ = server_.attempt(report_.epoch, token_);
        spdlog::warn("shard {} is being rebuilt, epoch {}", shard_, report_.epoch);
        return {};
    }

    /// None is noted for an older epoch once this one was raised.
    done unbind_older() {
        auto noted = uses_.registry.older_tokens(shard_, report_.epoch);
        if (!noted) return std::unexpected(noted.error());
        older_tokens_ = std::move(*noted);
        return uses_.log.unbind(older_tokens_);
    }

    /// What a queue that is not ours takes is confirmed, and in no record: if the gate can be
    /// reached, it grants no more of that.
    done prove() {
        auto proved = uses_.log.prove_unbound(older_tokens_);
        if (!proved) (void)gate_->close(older_tokens_);
        return proved;
    }

    /// A gate that is not met is no reason to stop: it may be lost, which is why all this is done,
    /// or be somewhere else, and then grants what the log does not take.
    done close() {
        const auto closed = gate_->close(older_tokens_);
        if (!closed) return std::unexpected(closed.error());
        if (*closed == stock::gate_attempt::closing::overtaken)
            return std::unexpected("a newer gate is there");
        report_.closed_older = *closed == stock::gate_attempt::closing::met;
        if (!report_.closed_older)
            spdlog::warn(
                "shard {}: the gate that is replaced is not here: its data is lost, or it "
                "is somewhere else; the log takes no order of it any more",
                shard_);
        return {};
    }

    done survivors() {
        report_.survivors = 0;
        return gate_->for_each_survivor([this](std::vector<std::string> events) {
            report_.survivors += events.size();
            if (auto kept = keep_lease(); !kept) return kept;
            return uses_.publisher.publish(std::move(events), token_, publish_patience);
        });
    }

    done barrier() {
        if (barrier_.id == uuid{}) {
            barrier_.id = uses_.make_id(shard_);
            barrier_.shard = shard_;
            barrier_.epoch = report_.epoch;
            barrier_.created_at = barrier_.id.time();
        }
        return uses_.publisher.publish({events::text_of(barrier_)}, token_, publish_patience);
    }

    done wait_for_barrier() {
        const auto again = now() + barrier_again_after;
        while (true) {
            const auto recorded = uses_.order_database.barrier_recorded(barrier_.id);
            if (recorded && *recorded) return {};
            if (recorded) away_since_.reset();
            if (auto rested = recorded ? rest(look_interval) : wait_for_order_database(); !rested)
                return rested;
            // Not there, says the database; so either it is slow, or the log has lost it. If it
            // lost the binding too, what is published comes back, and the attempt ends: no
            // token is bound twice.
            if (recorded && now() >= again) {
                if (++barriers_in_vain_ > 1 && read_anew_) read_anew_();
                plan_.publish_again();
                return {};
            }
        }
    }

    /// The barrier tells what the log had. It may have lost, between their confirms and the
    /// barrier, what the outbox still has.
    done look_for_survivors() {
        std::size_t missing = 0;
        const auto looked =
            gate_->for_each_survivor([&](const std::vector<std::string>& events) -> done {
                if (auto kept = keep_lease(); !kept) return kept;
                const auto lost = unrecorded(events);
                if (!lost) return std::unexpected(lost.error());
                missing += *lost;
                return {};
            });
        if (!looked || missing == 0) return looked;
        spdlog::warn("shard {}: the log has lost {} events on their way, they go out again", shard_,
                     missing);
        barrier_ = {};  // the old one says nothing of them
        plan_.publish_again();
        return {};
    }

    std::expected<std::size_t, std::string> unrecorded(const std::vector<std::string>& events) {
        std::unordered_map<uuid, const std::string*, uuid_hash> left;
        for (const std::string& one : events) {
            if (const auto id = events::id_of(one)) left.emplace(*id, &one);
        }
        const auto ids = [&left] {
            const auto keys = std::views::keys(left);
            return std::vector<uuid>(keys.begin(), keys.end());
        };
        const auto known = uses_.order_database.known_events(ids());
        if (!known) return std::unexpected(known.error());
        for (const uuid& id : *known)
            left.erase(id);
        if (left.empty()) return 0;
        std::vector<stock::allocation_id> reductions;  // which are in the ledger alone
        for (const uuid& id : ids())
            reductions.push_back({id});
        const auto moved = uses_.products.moved(reductions);
        if (!moved) return std::unexpected(moved.error());
        for (const stock::allocation_id& one : *moved)
            left.erase(one.order_id);
        // Of another version than ours, perhaps: its recorder parks it under a name made of its
        // bytes. To wait for its id would be to wait for ever.
        std::erase_if(left, [](const auto& one) { return !events::parse(*one.second); });
        return left.size();
    }

    /// A database that is away, or a recorder that is in the middle of a batch, is waited for.
    done fences() {
        while (true) {
            const bool raised =
                uses_.order_database.raise_fence(shard_, report_.epoch, begun_at_).has_value();
            if (raised && uses_.registry.raise_fence(shard_, report_.epoch)) return {};
            if (raised) away_since_.reset();
            if (auto rested = raised ? rest(look_interval) : wait_for_order_database(); !rested)
                return rested;
        }
    }

    done load_record() {
        const auto begun = now();
        const auto loaded = recovery::load_record(
            {uses_.products, uses_.orders, &uses_.ledger, *gate_, shard_, uses_.epochs.shards(),
             with_.load_rows_max, differing::mended, [this]() -> done {
                 if (uses_.timing.stopping()) return std::unexpected("stopping");
                 return keep_lease();
             }});
        if (!loaded) return std::unexpected(loaded.error());
        report_.products = loaded->products;
        report_.orders = loaded->orders;
        report_.parked = loaded->parked;
        report_.reductions = loaded->reductions;
        report_.mended = loaded->mended;
        report_.loading = std::chrono::duration_cast<std::chrono::milliseconds>(now() - begun);
        return {};
    }

    done remove_left() {
        // Their openers are done with binding, or were overtaken: then no gate opens under them.
        if (const auto done = uses_.registry.forget_tokens(older_tokens_); !done)
            spdlog::warn("shard {}: older tokens stay noted: {}", shard_, done.error());
        return gate_->remove_older([this] { return rest(0ms); });
    }

    /// What was loaded in vain. Only before mark_open was tried: behind that, even a failure may
    /// have marked the gate open, and the next pass opens it. The next attempt removes what stays.
    void remove_own() {
        const auto removed = gate_->remove_own([this]() -> done {
            if (uses_.timing.stopping()) return std::unexpected("stopping");
            return {};
        });
        if (!removed)
            spdlog::warn("shard {}: what was loaded stays until the next attempt: {}", shard_,
                         removed.error());
    }

    deadline now() const { return uses_.timing.now(); }

    const ports& uses_;
    const options& with_;
    stock::gate_admin& server_;
    const std::uint32_t shard_;
    const uuid holder_;
    const std::function<void()>& read_anew_;
    rebuild_plan plan_;
    rebuilt report_;
    const uuid token_;
    std::vector<uuid> older_tokens_;
    std::unique_ptr<stock::gate_attempt> gate_;
    events::barrier barrier_;  // the nil UUID: a new one is to be made
    int barriers_in_vain_ = 0;
    deadline renewed_at_{};
    std::optional<deadline> away_since_;  // the order database
    timestamp begun_at_{};
};

}  // namespace

std::expected<rebuilt, std::string> rebuild(const ports& uses, const options& with,
                                            std::uint32_t shard, const uuid& holder,
                                            const std::function<void()>& read_anew) {
    return attempt(uses, with, shard, holder, read_anew).run();
}

}  // namespace flashsale::recovery
