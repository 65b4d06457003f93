// What was set aside, and what a person decides about it. An event that holds units took them at a
// gate, and every audit counts them as taken; so each decision moves them in one step from one
// column to another, and the sums hold after it.
//
//   retry   holding units: it is recorded as any event; if the databases refuse it again, it stays.
//           Holding none (a later gate refused it): the gate is asked once more, by the sweep.
//   drop    holding units: the ledger takes them under the event's id, as a reduction, and gives
//           them again, as a restock, in one transaction; then the sweep tells the gate what was
//           given, or the next start of an embedded process loads it.
//           Holding none: nothing but a note that it was dropped.
//
// Two people may decide about one event at once, and either may die anywhere. The ledger's row of
// the event's id decides which of them came first: a movement that was asked for, or one that gives
// back. The other is told, and takes back the order if it has made one. What was begun is finished
// by the same command, given again.

#include <cstdio>

#include <flashsale/app.hpp>
#include <flashsale/order/recovery.hpp>

#include "commands.hpp"
#include "compose.hpp"
#include "parked_source.hpp"
#include "probe.hpp"

namespace flashsale::app {

namespace {

constexpr std::size_t rows_per_page = 1'000;

template <class T>
T must(std::expected<T, std::string> result) {
    if (!result) throw unavailable_error(result.error());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

const char* state_of(const order::parked_row& one) {
    return one.dropped_at ? "dropped" : one.holds_units ? "holds units" : "holds no units";
}

/// No decision could be made: the text says why.
struct undecided : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class parked_command {
public:
    explicit parked_command(parked_source& of) : source_(of) {}

    void list(bool dropped_too) {
        uuid after;
        while (true) {
            const auto page = must(source_.parked().list(after, rows_per_page, dropped_too));
            for (const order::parked_row& one : page) {
                std::printf("%s  %s  %s  %s\n", one.id.to_string().c_str(),
                            to_rfc3339(one.created_at).c_str(), state_of(one), one.reason.c_str());
            }
            if (page.size() < rows_per_page) return;
            after = page.back().id;
        }
    }

    void show(const std::string& text) {
        const auto one = find(text);
        std::printf("id       %s\nparked   %s\nstate    %s\nreason   %s\nevent    %s\n",
                    one.id.to_string().c_str(), to_rfc3339(one.created_at).c_str(), state_of(one),
                    one.reason.c_str(), one.event.c_str());
    }

    void retry(const std::string& text) {
        const auto one = find_undropped(text);
        const auto event = events::parse(one.event);
        if (!event) throw undecided("it is no event (" + event.error() + "): it can be dropped");
        if (!one.holds_units) {
            if (!source_.asks_again())
                throw undecided("it holds no units, and no gate is asked again: it can be dropped");
            must(source_.parked().ask_again_for(one.id, events::base_of(*event).shard));
            std::puts("the gate will be asked for it again; if it refuses, it is parked again");
            return;
        }
        if (const auto* of = std::get_if<events::order_accepted>(&*event)) record_order(*of);
        const auto movement = order::movement_of(*event);
        if (!movement) throw undecided("it takes no units: it can be dropped");
        const auto refused = must(source_.ledger().record(std::span(&*movement, 1)));
        if (!refused.empty() && refused.front().given_back) {
            must(source_.orders().take_back(std::span(&one.id, 1)));
            throw undecided("somebody has begun to drop it: drop it, which finishes that");
        }
        if (!refused.empty()) throw undecided("refused again: " + refused.front().reason);
        must(source_.parked().forget(one.id));
        std::puts("recorded");
    }

    void drop(const std::string& text) {
        const auto one = find_undropped(text);
        const auto event = events::parse(one.event);
        std::string outcome = "dropped; it held no units";
        const auto taken = event ? order::movement_of(*event) : std::nullopt;
        if (taken && one.holds_units) outcome = give_back(*taken);
        must(source_.parked().drop(one.id));
        std::puts(outcome.c_str());
    }

private:
    order::parked_row find(const std::string& text) {
        const auto id = uuid::parse(text);
        if (!id) throw undecided("expected an id as `flashsale parked list` prints it");
        auto found = must(source_.parked().find(*id));
        if (!found) throw undecided("no event of this id is parked");
        return std::move(*found);
    }

    order::parked_row find_undropped(const std::string& text) {
        auto one = find(text);
        if (one.dropped_at) throw undecided("it was dropped before");
        return one;
    }

    void record_order(const events::order_accepted& order) {
        const auto report = must(source_.orders().record(std::span(&order, 1), {}));
        if (!report.parked.empty())
            throw undecided("refused again: see `flashsale parked show` and the log");
    }

    std::string give_back(const stock::movement& taken) {
        if (const auto why = source_.keeps_units_of(taken.id)) throw undecided(*why);
        // One that is not there was not given back, nor sold.
        const bool begun = must(source_.is_given_back(taken));
        if (!begun && must(source_.parked().order_recorded(taken.id)))
            throw undecided("its order is recorded, and was accepted: it can only be retried");
        const auto outcome = must(source_.give_back(taken));
        if (outcome == stock::given_back::now || outcome == stock::given_back::before)
            must(source_.orders().take_back(std::span(&taken.id, 1)));
        switch (outcome) {
            case stock::given_back::now:
                return "dropped; its " + std::to_string(-taken.delta) + " units are given again, " +
                       source_.after_giving_back();
            case stock::given_back::before:
                return "dropped; its units were given again before";
            case stock::given_back::no_product:
                return "dropped; its product does not exist";
            case stock::given_back::sold:
                break;
        }
        throw undecided("the ledger has recorded it: it can only be retried");
    }

    parked_source& source_;
};

}  // namespace

int parked(const config& settings, const parked_request& asked) {
    const bool to_decide = asked.action == "retry" || asked.action == "drop";
    const auto source = is_embedded(settings) ? make_embedded_parked_source(settings, to_decide)
                                              : make_stack_parked_source(settings);
    parked_command command(*source);
    try {
        if (asked.action == "list") command.list(asked.dropped_too);
        if (asked.action == "show") command.show(asked.id);
        if (asked.action == "retry") command.retry(asked.id);
        if (asked.action == "drop") command.drop(asked.id);
    } catch (const undecided& why) {
        std::fprintf(stderr, "flashsale: %s: %s\n", asked.id.c_str(), why.what());
        return exit_does_not_hold;
    }
    return exit_ok;
}

}  // namespace flashsale::app
