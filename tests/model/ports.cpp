#include "ports.hpp"

#include "faults.hpp"
#include "process.hpp"
#include "promises.hpp"

namespace flashsale::model {

namespace {

template <class T>
std::vector<T> copied(std::span<const T> all) {
    return {all.begin(), all.end()};
}

/// What a recorder believes that looks at the fence, and then begins to write; none: it looks as
/// it writes.
template <class Database>
std::expected<std::optional<std::uint64_t>, std::string> fence_seen_before(process& of,
                                                                           Database& database) {
    if (!of.in.is_without(guard::fences_held)) return std::nullopt;
    return of.ask_now<std::uint64_t>(database, [&database] { return database.fence; });
}

class recording_port final : public order::recording {
public:
    explicit recording_port(process& of) : of_(of) {}

    std::expected<order::recording_report, std::string> record(
        std::span<const events::order_accepted> orders, std::span<const events::poison>) override {
        const auto seen = fence_seen_before(of_, *of_.in.orders);
        if (!seen) return std::unexpected(seen.error());
        reach(of_, "with a batch in hand");
        return of_.ask_now<order::recording_report>(
            *of_.in.orders, [&in = of_.in, orders = copied(orders), fence = *seen] {
                return in.orders->record(orders, fence.value_or(in.orders->fence));
            });
    }

    std::expected<void, std::string> keep_late(std::span<const events::event> late) override {
        if (late.empty()) return {};
        return done(of_.ask_now<int>(*of_.in.orders, [&in = of_.in, all = copied(late)] {
            in.orders->keep_late(all);
            return 0;
        }));
    }

    std::expected<void, std::string> park(std::span<const order::parking> all) override {
        if (all.empty()) return {};
        return done(of_.ask_now<int>(*of_.in.orders, [&in = of_.in, all = copied(all)] {
            for (const order::parking& one : all) {
                const auto event = events::parse(one.event);
                if (event && events::base_of(*event).epoch < in.orders->fence) {
                    in.orders->keep_late({*event});
                } else {
                    in.orders->park(one.id, one.event, one.reason);
                }
            }
            return 0;
        }));
    }

    std::expected<void, std::string> take_back(std::span<const uuid> orders) override {
        if (orders.empty()) return {};
        return std::unexpected("nobody drops anything here");
    }

    std::expected<void, std::string> record_barriers(
        std::span<const events::barrier> barriers) override {
        if (barriers.empty()) {
            reach(of_, "between the databases and the acknowledgement");
            return {};
        }
        reach(of_, "before the barrier is recorded");
        for (const events::barrier& one : barriers)
            of_.in.tell(of_.name, "records barrier {}", short_id(one.id.to_string()));
        return done(of_.ask_now<int>(*of_.in.orders, [&in = of_.in, all = copied(barriers)] {
            for (const events::barrier& one : all) {
                in.orders->barriers.try_emplace(one.id, one.epoch);
                if (!in.is_without(guard::fences_last)) continue;
                for (std::uint64_t* fence : {&in.orders->fence, &in.stock->fence})
                    *fence = std::max(*fence, one.epoch);
            }
            return 0;
        }));
    }

private:
    static std::expected<void, std::string> done(const std::expected<int, std::string>& result) {
        if (!result) return std::unexpected(result.error());
        return {};
    }

    process& of_;
};

class ledger_port final : public stock::ledger {
public:
    explicit ledger_port(process& of) : of_(of) {}

    std::expected<std::vector<stock::refused_movement>, std::string> record(
        std::span<const stock::movement> movements) override {
        if (movements.empty()) return {};
        const auto seen = fence_seen_before(of_, *of_.in.stock);
        if (!seen) return std::unexpected(seen.error());
        reach(of_, "between the order database and the stock database");
        auto statement = [&in = of_.in, all = copied(movements), fence = *seen] {
            return in.stock->record(all, fence.value_or(in.stock->fence));
        };
        // Without the guard the recorder goes on as if it were done: with the acknowledgement, or
        // with a barrier, before it is.
        const micros some_time = of_.in.random.between(0, 40 * ms);
        if (of_.in.is_without(guard::ack_after_both)) {
            of_.after(some_time, [statement] { statement(); });
            return {};
        }
        if (of_.in.is_without(guard::cut_at_barrier)) {
            of_.in.after(some_time, [statement] { statement(); });
            return {};
        }
        return of_.ask_now<std::vector<stock::refused_movement>>(*of_.in.stock,
                                                                 std::move(statement));
    }

private:
    process& of_;
};

}  // namespace

std::unique_ptr<order::recording> make_recording_port(process& of) {
    return std::make_unique<recording_port>(of);
}

std::unique_ptr<stock::ledger> make_ledger_port(process& of) {
    return std::make_unique<ledger_port>(of);
}

}  // namespace flashsale::model
