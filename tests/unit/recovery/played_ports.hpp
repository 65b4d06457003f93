#pragma once

// Recovery's ports without servers: each notes what it is asked, at the time of a clock that only
// pauses move.

#include <flashsale/recovery/ports.hpp>
#include <flashsale/stock/gate_account.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace flashsale::test {

using namespace std::chrono_literals;
using done = std::expected<void, std::string>;

/// What was asked of any port, in its order.
struct history {
    struct line {
        std::string what;
        deadline at;
    };
    std::vector<line> lines;
    deadline now{1h};

    void tell(std::string what) { lines.push_back({std::move(what), now}); }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const line& one : lines)
            out.push_back(one.what);
        return out;
    }
    /// The first of that name; it has to be there.
    const line& of(std::string_view what) const {
        for (const line& one : lines) {
            if (one.what == what) return one;
        }
        throw std::runtime_error(std::string(what) + " was not asked");
    }
};

class played_pacing final : public recovery::timing {
public:
    explicit played_pacing(history& of) : of_(of) {}

    deadline now() const override { return of_.now; }
    timestamp wall_clock() const override { return timestamp{}; }
    void pause(std::chrono::milliseconds most) override { of_.now += most; }
    void wait(const std::function<bool()>&) override {}
    bool stopping() const override { return false; }

private:
    history& of_;
};

class played_publisher final : public recovery::publisher {
public:
    explicit played_publisher(history& of) : of_(of) {}

    done publish(std::vector<std::string> events, const uuid&, std::chrono::milliseconds) override {
        for (const std::string& one : events) {
            const auto event = events::parse(one);
            of_.tell(event && std::holds_alternative<events::barrier>(*event) ? "barrier"
                                                                              : "survivor");
        }
        return {};
    }

private:
    history& of_;
};

class played_log final : public events::log {
public:
    explicit played_log(history& of) : of_(of) {}

    std::unique_ptr<producer> open_producer(
        asio::io_context&, std::function<void(std::span<const events::confirmation>)>) override {
        return nullptr;
    }
    events::log_state state() const override { return events::log_state::up; }
    std::string fault() const override { return {}; }
    std::uint64_t appended() const override { return 0; }
    done bind(const uuid&) override {
        of_.tell("bind");
        return {};
    }
    done unbind(std::span<const uuid>) override {
        of_.tell("unbind");
        return {};
    }
    done prove_unbound(std::span<const uuid>) override {
        of_.tell("prove");
        return {};
    }
    void start() override {}
    void stop(std::chrono::milliseconds) override {}

private:
    history& of_;
};

class played_registry final : public stock::shard_registry {
public:
    explicit played_registry(history& of) : of_(of) {}

    stock::shard_state row{stock::shard_state::phase::open, 4, {}, false};
    bool newest = true;  ///< the attempt that asks

    std::expected<stock::shard_state, std::string> read(std::uint32_t) override { return row; }
    std::expected<std::optional<stock::shard_state>, std::string> lease(std::uint32_t, const uuid&,
                                                                        std::chrono::milliseconds,
                                                                        bool) override {
        return row;
    }
    done release(std::uint32_t, const uuid&) override { return {}; }
    std::expected<std::optional<std::uint64_t>, std::string> begin_rebuild(std::uint32_t,
                                                                           const uuid&,
                                                                           const uuid&) override {
        of_.tell("raise");
        row.what = stock::shard_state::phase::rebuilding;
        return ++row.epoch;
    }
    std::expected<std::vector<uuid>, std::string> older_tokens(std::uint32_t,
                                                               std::uint64_t) override {
        return std::vector<uuid>(1);
    }
    done forget_tokens(std::span<const uuid>) override { return {}; }
    std::expected<bool, std::string> replace_token(std::uint32_t, std::uint64_t, const uuid&,
                                                   const uuid&) override {
        return false;
    }
    std::expected<bool, std::string> renew_rebuild(std::uint32_t, const uuid&, std::uint64_t,
                                                   std::chrono::milliseconds) override {
        return newest;
    }
    std::expected<bool, std::string> finish_rebuild(std::uint32_t, std::uint64_t) override {
        of_.tell("mark open");
        return newest;
    }
    done raise_fence(std::uint32_t, std::uint64_t) override {
        of_.tell("stock fence");
        return {};
    }
    std::expected<stock::moved_seqs, std::string> find_moved_seqs(std::uint32_t, std::uint32_t,
                                                                  std::uint64_t,
                                                                  const stock::breath&) override {
        return stock::moved_seqs{};
    }
    std::expected<bool, std::string> note_unknown_gate(std::uint32_t, const uuid&, std::uint64_t,
                                                       const uuid&) override {
        return true;
    }
    done sync_sales() override { return {}; }
    done undo_terms(std::int64_t, std::int64_t) override { return {}; }
    done require_primary() override { return {}; }
    std::uint64_t sessions() const override { return 1; }

private:
    history& of_;
};

class played_order_database final : public order::recovery_store, public order::late_store {
public:
    explicit played_order_database(history& of) : of_(of) {}

    deadline records_barriers_from{};  ///< until then none is recorded

    std::expected<bool, std::string> barrier_recorded(const uuid&) override {
        return of_.now >= records_barriers_from;
    }
    std::expected<std::vector<uuid>, std::string> known_events(std::span<const uuid> ids) override {
        return std::vector<uuid>(ids.begin(), ids.end());
    }
    done raise_fence(std::uint32_t, std::uint64_t, timestamp) override {
        of_.tell("order fence");
        return {};
    }
    std::expected<order::known_seqs, std::string> find_known_seqs(
        std::uint32_t, std::uint32_t, std::uint64_t, const std::function<done()>&) override {
        return order::known_seqs{};
    }
    done answers() override { return {}; }
    done require_primary() override { return {}; }
    std::uint64_t sessions() const override { return 1; }

    std::expected<order::late_page, std::string> page(std::uint32_t, const uuid&,
                                                      std::size_t) override {
        return order::late_page{};
    }
    done forget(std::span<const uuid>) override { return {}; }
    done park(const uuid&, const std::string&) override { return {}; }

private:
    history& of_;
};

}  // namespace flashsale::test
