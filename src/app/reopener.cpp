#include "reopener.hpp"

#include <spdlog/spdlog.h>

#include <ranges>
#include <unordered_map>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/stock/record.hpp>

#include <unordered_set>

#include "compose.hpp"
#include "record_loader.hpp"
#include "reopening.hpp"

namespace flashsale::app {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using done = std::expected<void, std::string>;

constexpr auto publish_patience = 10s;
constexpr auto look_interval = 20ms;
constexpr auto barrier_again_after = 5s;

class attempt {
public:
    attempt(const reopener_dependencies& uses, std::uint32_t shard, std::uint32_t shards,
            const uuid& holder)
        : uses_(uses),
          shard_(shard),
          shards_(shards),
          holder_(holder),
          plan_(faults::without(faults::guard::waiting)
                    ? std::chrono::milliseconds{0}
                    : ms_of(uses.settings.orders.confirm_deadline_ms)) {}

    std::expected<reopened, std::string> run() {
        const auto begun = steady::now();
        while (plan_.next() != reopening::step::done) {
            const auto step = plan_.next();
            done result;
            if (uses_.stopping()) {
                result = std::unexpected("stopping");
            } else if (!left_out(step)) {
                result = take(step);
            }
            if (!result) {
                plan_.failed();
                if (step == reopening::step::load) remove_own();
                return std::unexpected(std::string(name_of(step)) + ": " + result.error());
            }
            faults::pass(place_behind(step));
            if (plan_.next() == step) plan_.succeeded(steady::now());
        }
        report_.took = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begun);
        return report_;
    }

private:
    static faults::place place_behind(reopening::step what) {
        using enum faults::place;
        static_assert(static_cast<int>(reopen_open_gate) - static_cast<int>(reopen_unbind) ==
                      static_cast<int>(reopening::step::open_gate) -
                          static_cast<int>(reopening::step::unbind));
        return static_cast<faults::place>(static_cast<int>(reopen_raise_generation) +
                                          static_cast<int>(what));
    }

    static bool left_out(reopening::step what) {
        using enum reopening::step;
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

    done take(reopening::step what) {
        using enum reopening::step;
        switch (what) {
            case raise_generation:
                return raise();
            case unbind:
                return unbind_older();
            case prove_unbound:
                return prove();
            case close_gate:
                return close();
            case wait_deadline:
                return rest(plan_.left(steady::now()));
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
                return must(
                    stock::finish_reopening(uses_.stock_database, shard_, report_.generation),
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
        const auto until = steady::now() + time;
        do {
            if (uses_.stopping()) return std::unexpected("stopping");
            if (auto kept = keep_lease(); !kept) return kept;
            uses_.io.restart();
            uses_.io.run_one_until(std::min(until, steady::now() + 50ms));
        } while (steady::now() < until);
        return {};
    }

    /// A database that is away is waited for; but not, for longer than a lease lasts, the order
    /// database alone: another process may reach it.
    done wait_for_order_database() {
        const auto time = ms_of(uses_.settings.recovery.lease_ms);
        const auto now = steady::now();
        if (!away_since_) away_since_ = now;
        if (renewed_at_ >= *away_since_ + time) {
            const auto answers = uses_.order_database.execute("SELECT 1");
            if (!answers) return std::unexpected("order database: " + answers.error().message);
            away_since_.reset();  // it is busy
        }
        return rest(look_interval);
    }

    done keep_lease() {
        const auto time = ms_of(uses_.settings.recovery.lease_ms);
        if (steady::now() < renewed_at_ + time / 3) return {};
        const auto mine =
            stock::renew_reopening(uses_.stock_database, shard_, holder_, report_.generation, time);
        if (!mine) return {};  // the database is away; what insists on the generation comes later
        if (!*mine) return std::unexpected("overtaken by another");
        renewed_at_ = steady::now();
        return {};
    }

    done raise() {
        const auto options = redis_gate_options(uses_.settings, uses_.deployment);
        stock::gate_rebuild server(uses_.io, uses_.gate_server, shard_, 0, token_, options);
        if (auto usable = server.check_server(); !usable) return usable;
        begun_at_ = wall_clock_now();
        const auto generation =
            stock::begin_reopening(uses_.stock_database, shard_, holder_, token_);
        if (!generation) return std::unexpected(generation.error());
        if (!*generation) return std::unexpected("the lease is another's");
        report_.generation = **generation;
        renewed_at_ = steady::now();
        gate_.emplace(uses_.io, uses_.gate_server, shard_, report_.generation, token_, options);
        spdlog::warn("shard {} is being reopened, generation {}", shard_, report_.generation);
        return {};
    }

    /// None is noted for an older generation once this one was raised.
    done unbind_older() {
        auto noted = stock::older_tokens(uses_.stock_database, shard_, report_.generation);
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
        if (*closed == stock::gate_rebuild::closing::overtaken)
            return std::unexpected("a newer gate is there");
        report_.closed_older = *closed == stock::gate_rebuild::closing::met;
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
            barrier_.id = uuid_generator().make(shard_);
            barrier_.shard = shard_;
            barrier_.generation = report_.generation;
            barrier_.created_at = barrier_.id.time();
        }
        return uses_.publisher.publish({events::text_of(barrier_)}, token_, publish_patience);
    }

    done wait_for_barrier() {
        const auto again = steady::now() + barrier_again_after;
        while (true) {
            const auto recorded = order::barrier_recorded(uses_.order_database, barrier_.id);
            if (recorded && *recorded) return {};
            if (recorded) away_since_.reset();
            if (auto rested = recorded ? rest(look_interval) : wait_for_order_database(); !rested)
                return rested;
            // Not there, says the database; so either it is slow, or the log has lost it. If it
            // lost the binding too, what is published comes back, and the attempt ends: no
            // token is bound twice.
            if (recorded && steady::now() >= again) {
                if (++barriers_in_vain_ > 1 && uses_.read_anew) uses_.read_anew();
                plan_.publish_again();
                return {};
            }
        }
    }

    /// The barrier tells what the log had. It may have lost, between their confirms and the
    /// barrier, what the outbox still has.
    done look_for_survivors() {
        const auto ledger = stock::make_postgres_record_reader(uses_.stock_database);
        std::size_t missing = 0;
        const auto looked =
            gate_->for_each_survivor([&](const std::vector<std::string>& events) -> done {
                if (auto kept = keep_lease(); !kept) return kept;
                const auto lost = unrecorded(*ledger, events);
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

    std::expected<std::size_t, std::string> unrecorded(stock::record_reader& ledger,
                                                       const std::vector<std::string>& events) {
        std::unordered_map<uuid, const std::string*, uuid_hash> left;
        for (const std::string& one : events) {
            if (const auto id = events::id_of(one)) left.emplace(*id, &one);
        }
        const auto ids = [&left] {
            const auto keys = std::views::keys(left);
            return std::vector<uuid>(keys.begin(), keys.end());
        };
        const auto known = order::known_events(uses_.order_database, ids());
        if (!known) return std::unexpected(known.error());
        for (const uuid& id : *known)
            left.erase(id);
        if (left.empty()) return 0;
        std::vector<stock::allocation_id> reductions;  // which are in the ledger alone
        for (const uuid& id : ids())
            reductions.push_back({id});
        const auto moved = ledger.moved(reductions);
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
                order::raise_fence(uses_.order_database, shard_, report_.generation, begun_at_)
                    .has_value();
            if (raised && stock::raise_fence(uses_.stock_database, shard_, report_.generation))
                return {};
            if (raised) away_since_.reset();
            if (auto rested = raised ? rest(look_interval) : wait_for_order_database(); !rested)
                return rested;
        }
    }

    done load_record() {
        const auto begun = steady::now();
        record_loader loader({uses_.stock_database, uses_.order_database, *gate_, shard_, shards_,
                              size_of(uses_.settings.recovery.load_rows_max), [this]() -> done {
                                  if (uses_.stopping()) return std::unexpected("stopping");
                                  return keep_lease();
                              }});
        const auto loaded = loader.run();
        if (!loaded) return std::unexpected(loaded.error());
        report_.products = loaded->products;
        report_.orders = loaded->orders;
        report_.parked = loaded->parked;
        report_.reductions = loaded->reductions;
        report_.mended = loaded->mended;
        report_.loading =
            std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begun);
        return {};
    }

    done remove_left() {
        // Their openers are done with binding, or were overtaken: then no gate opens under them.
        if (const auto done = stock::forget_tokens(uses_.stock_database, older_tokens_); !done)
            spdlog::warn("shard {}: older tokens stay noted: {}", shard_, done.error());
        return gate_->remove_older([this] { return rest(0ms); });
    }

    /// What was loaded in vain. Only before mark_open was tried: behind that, even a failure may
    /// have marked the gate open, and the next pass opens it. The next attempt removes what stays.
    void remove_own() {
        const auto removed = gate_->remove_own([this]() -> done {
            if (uses_.stopping()) return std::unexpected("stopping");
            return {};
        });
        if (!removed)
            spdlog::warn("shard {}: what was loaded stays until the next attempt: {}", shard_,
                         removed.error());
    }

    const reopener_dependencies& uses_;
    const std::uint32_t shard_, shards_;
    const uuid holder_;
    reopening plan_;
    reopened report_;
    const uuid token_ = uuid_generator().make(shard_);
    std::vector<uuid> older_tokens_;
    std::optional<stock::gate_rebuild> gate_;
    events::barrier barrier_;  // the nil UUID: a new one is to be made
    int barriers_in_vain_ = 0;
    steady::time_point renewed_at_{};
    std::optional<steady::time_point> away_since_;  // the order database
    timestamp begun_at_{};
};

}  // namespace

std::expected<reopened, std::string> reopen(const reopener_dependencies& uses, std::uint32_t shard,
                                            std::uint32_t shards, const uuid& holder) {
    return attempt(uses, shard, shards, holder).run();
}

}  // namespace flashsale::app
