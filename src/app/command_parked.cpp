// What was set aside, and what a person decides about it. An event that holds units took them at a
// gate, and every audit counts them as taken; so each decision moves them in one step from one
// column to another, and the sums hold after it.
//
//   retry   holding units: it is recorded as any event; if the databases refuse it again, it stays.
//           Holding none (a later gate refused it): the gate is asked once more, by the sweep.
//   drop    holding units: the ledger takes them under the event's id, as a reduction, and gives
//   them
//           again, as a restock, in one transaction; then the sweep tells the gate what was given.
//           Holding none: nothing but a note that it was dropped.

#include <cstdio>

#include <flashsale/app.hpp>
#include <flashsale/order/parked.hpp>
#include <flashsale/order/recording.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/stock/recovery.hpp>

#include "commands.hpp"
#include "compose.hpp"
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
    explicit parked_command(const config& settings)
        : settings_(settings),
          stock_database_(
              open_session(settings, "stock", "postgres.stock_url", settings.postgres.stock_url)),
          order_database_(
              open_session(settings, "order", "postgres.order_url", settings.postgres.order_url)) {}

    void list(bool dropped_too) {
        uuid after;
        while (true) {
            const auto page =
                must(order::list_parked(order_database_, after, rows_per_page, dropped_too));
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
            must(order::parked_to_late(order_database_, one.id, event->shard));
            std::puts("the gate will be asked for it again; if it refuses, it is parked again");
            return;
        }
        if (event->what == events::event::kind::order_accepted) record_order(*event);
        const auto ledger = stock::make_postgres_ledger(stock_database_);
        const stock::movement movement = order::movement_of(*event);
        const auto refused = must(ledger->record(std::span(&movement, 1)));
        if (!refused.empty()) throw undecided("refused again: " + refused.front().reason);
        must(order::forget_parked(order_database_, one.id));
        std::puts("recorded");
    }

    void drop(const std::string& text) {
        const auto one = find_undropped(text);
        const auto event = events::parse(one.event);
        std::string outcome = "dropped; it held no units";
        if (event && one.holds_units) outcome = give_back(*event);
        must(order::drop_parked(order_database_, one.id));
        std::puts(outcome.c_str());
    }

private:
    order::parked_row find(const std::string& text) {
        const auto id = uuid::parse(text);
        if (!id) throw undecided("expected an id as `flashsale parked list` prints it");
        auto found = must(order::find_parked(order_database_, *id));
        if (!found) throw undecided("no event of this id is parked");
        return std::move(*found);
    }

    order::parked_row find_undropped(const std::string& text) {
        auto one = find(text);
        if (one.dropped_at) throw undecided("it was dropped before");
        return one;
    }

    void record_order(const events::event& event) {
        const auto recording = order::make_postgres_recording(order_database_);
        const auto report = must(recording->record(std::span(&event, 1), {}, {}));
        if (!report.parked.empty())
            throw undecided("refused again: see `flashsale parked show` and the log");
    }

    std::string give_back(const events::event& event) {
        if (!uses_redis(settings_)) {
            throw undecided(
                "the database gate has sold its units in the ledger itself: correct the movement "
                "there");
        }
        if (must(order::order_recorded(order_database_, event.id)))
            throw undecided("its order is recorded, and was accepted: it can only be retried");
        switch (must(stock::give_back(stock_database_, order::movement_of(event)))) {
            case stock::given_back::now:
                return "dropped; its " + std::to_string(event.quantity) +
                       " units are given again, and come to the gate with the next sweep. Its key "
                       "stays used until the shard is reopened";
            case stock::given_back::before:
                return "dropped; its units were given again before";
            case stock::given_back::no_product:
                return "dropped; its product does not exist";
            case stock::given_back::sold:
                break;
        }
        throw undecided("the ledger has sold its units: it can only be retried");
    }

    const config& settings_;
    postgres::session stock_database_;
    postgres::session order_database_;
};

}  // namespace

int parked(const config& settings, const parked_request& asked) {
    require_schemas(settings);
    parked_command command(settings);
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
