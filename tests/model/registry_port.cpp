// The stock database's rows of the shard, as src/stock/shards/shard_lease.cpp has its statements.

#include "promises.hpp"
#include "record_ports.hpp"

namespace flashsale::model {

namespace {

using std::chrono::milliseconds;
using fault = std::unexpected<std::string>;

stock::shard_state state_of(const stock_database& of) {
    using enum stock::shard_state::phase;
    return {.what = of.state == "open"         ? open
                    : of.state == "rebuilding" ? rebuilding
                                               : never,
            .epoch = of.epoch,
            .token = of.token,
            .leased = of.is_leased()};
}

micros until(const world& in, milliseconds time) {
    return in.now() + time.count() * ms;
}

std::expected<void, std::string> done(const std::expected<bool, std::string>& result) {
    if (!result) return fault(result.error());
    return {};
}

class registry_port final : public stock::shard_registry {
public:
    explicit registry_port(asking_stock& asks) : asks_(asks), of_(asks.of()), in_(asks.of().in) {}

    std::expected<stock::shard_state, std::string> read(std::uint32_t) override {
        return asks_([&in = in_] { return state_of(*in.stock); });
    }

    std::expected<std::optional<stock::shard_state>, std::string> lease(std::uint32_t,
                                                                        const uuid& holder,
                                                                        milliseconds time,
                                                                        bool by_force) override {
        return asks_([&in = in_, holder, time, by_force, number = of_.number,
                      life = of_.life()]() -> std::optional<stock::shard_state> {
            stock_database& at = *in.stock;
            if (at.is_leased() && at.leased->holder != holder && !by_force) return std::nullopt;
            at.leased = {holder, until(in, time), at.session_of(number, life)};
            return state_of(at);
        });
    }

    std::expected<void, std::string> release(std::uint32_t, const uuid& holder) override {
        return done(asks_([&at = *in_.stock, holder] {
            if (at.leased && at.leased->holder == holder) at.leased.reset();
            return true;
        }));
    }

    std::expected<std::optional<std::uint64_t>, std::string> begin_rebuild(
        std::uint32_t, const uuid& holder, const uuid& token) override {
        return asks_([&in = in_, holder, token, name = of_.name]() -> std::optional<std::uint64_t> {
            stock_database& at = *in.stock;
            if (!at.leased || at.leased->holder != holder) return std::nullopt;
            at.state = "rebuilding";
            at.token = token;
            at.tokens.try_emplace(token, ++at.epoch);
            in.tell(name, "rebuilds the gate as epoch {}, token {}", at.epoch,
                    short_id(token.to_string()));
            return at.epoch;
        });
    }

    std::expected<std::vector<uuid>, std::string> older_tokens(std::uint32_t,
                                                               std::uint64_t epoch) override {
        return asks_([&at = *in_.stock, epoch] {
            std::vector<uuid> out;
            for (const auto& [token, of] : at.tokens) {
                // Its own is among them without the guard own-token.
                if (of < epoch && token != at.token) out.push_back(token);
            }
            return out;
        });
    }

    std::expected<void, std::string> forget_tokens(std::span<const uuid> tokens) override {
        return done(asks_([&at = *in_.stock, all = std::vector(tokens.begin(), tokens.end())] {
            for (const uuid& one : all)
                at.tokens.erase(one);
            return true;
        }));
    }

    std::expected<bool, std::string> replace_token(std::uint32_t, std::uint64_t epoch,
                                                   const uuid& old, const uuid& fresh) override {
        auto noted = asks_([&at = *in_.stock, epoch, old, fresh] {
            if (at.epoch != epoch || at.state != "open" || at.token != old) return false;
            at.token = fresh;
            at.tokens.try_emplace(fresh, epoch);
            return true;
        });
        reach(of_, "before the header has its token");
        return noted;
    }

    std::expected<bool, std::string> renew_rebuild(std::uint32_t, const uuid& holder,
                                                   std::uint64_t epoch,
                                                   milliseconds time) override {
        return asks_([&in = in_, holder, epoch, time, number = of_.number, life = of_.life()] {
            stock_database& at = *in.stock;
            if (!at.leased || at.leased->holder != holder || at.epoch != epoch ||
                at.state != "rebuilding")
                return false;
            at.leased = {holder, until(in, time), at.session_of(number, life)};
            return true;
        });
    }

    std::expected<bool, std::string> finish_rebuild(std::uint32_t, std::uint64_t epoch) override {
        return asks_([&at = *in_.stock, epoch] {
            if (at.epoch != epoch || at.state != "rebuilding") return false;
            at.state = "open";
            return true;
        });
    }

    std::expected<void, std::string> raise_fence(std::uint32_t, std::uint64_t epoch) override {
        reach(of_, "between the fences");
        return done(asks_([&at = *in_.stock, epoch] {
            at.fence = std::max(at.fence, epoch);
            return true;
        }));
    }

    std::expected<stock::moved_seqs, std::string> find_moved_seqs(
        std::uint32_t, std::uint32_t, std::uint64_t epoch, const stock::breath& breathe) override {
        auto found = asks_([&at = *in_.stock, epoch] {
            stock::moved_seqs out;
            for (const auto& [id, one] : at.movements) {
                if (one.epoch != epoch) continue;
                if (one.what == stock::operation::sale) out.sales.push_back(one.seq);
                if (one.what == stock::operation::reduction) out.reductions.push_back(one.seq);
            }
            return out;
        });
        if (found) {
            if (auto rested = breathe(); !rested) return fault(rested.error());
        }
        return found;
    }

    std::expected<bool, std::string> note_unknown_gate(std::uint32_t, const uuid&, std::uint64_t,
                                                       const uuid&) override {
        return fault("no record is accepted here");
    }

    std::expected<void, std::string> sync_sales() override { return {}; }
    std::expected<void, std::string> undo_terms(std::int64_t, std::int64_t) override { return {}; }
    std::expected<void, std::string> require_primary() override {
        return done(asks_([] { return true; }));
    }
    std::uint64_t sessions() const override { return asks_.made(); }

private:
    asking_stock& asks_;
    process& of_;
    world& in_;
};

}  // namespace

std::unique_ptr<stock::shard_registry> make_shard_registry(asking_stock& asks) {
    return std::make_unique<registry_port>(asks);
}

}  // namespace flashsale::model
