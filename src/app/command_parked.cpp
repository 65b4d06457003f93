// Words what is parked, and what became of a decision about one (order::parked_decisions).

#include <cstdio>

#include <flashsale/app.hpp>

#include "commands.hpp"
#include "probe.hpp"

namespace flashsale::app {

namespace {

constexpr std::size_t rows_per_page = 1'000;

template <class T>
T must(std::expected<T, std::string> result) {
    if (!result) throw unavailable_error(result.error());
    return std::move(*result);
}

const char* state_of(const order::parked_row& one) {
    return one.dropped_at ? "dropped" : one.holds_units ? "holds units" : "holds no units";
}

constexpr const char* not_parked = "no event of this id is parked";

std::string text_of(const order::parked_outcome& outcome, const parked_source& source) {
    using enum order::parked_outcome::kind;
    switch (outcome.what) {
        case recorded:
            return "recorded";
        case to_be_asked_again:
            return "the gate will be asked for it again; if it refuses, it is parked again";
        case dropped:
            return "dropped; it held no units";
        case given_back:
            return "dropped; its " + std::to_string(outcome.units) + " units are given again, " +
                   source.after_giving_back();
        case given_back_before:
            return "dropped; its units were given again before";
        case of_no_product:
            return "dropped; its product does not exist";
        case not_parked:
            return app::not_parked;
        case dropped_before:
            return "it was dropped before";
        case unreadable:
            return "it is no event (" + outcome.reason + "): it can be dropped";
        case not_asked_again:
            return "it holds no units, and no gate is asked again: it can be dropped";
        case takes_no_units:
            return "it takes no units: it can be dropped";
        case refused_again:
            return "refused again: " + (outcome.reason.empty()
                                            ? "see `flashsale parked show` and the log"
                                            : outcome.reason);
        case drop_begun:
            return "dropping it was begun: drop it, which finishes that";
        case sold_by_gate:
            return "the database gate has sold its units in the ledger itself: correct the "
                   "movement there";
        case in_log:
            return "the log still has it: let `flashsale serve` start and end once, and decide "
                   "then";
        case order_recorded:
            return "its order is recorded, and was accepted: it can only be retried";
        case in_ledger:
            return "the ledger has recorded it: it can only be retried";
    }
    return "";
}

int not_done(const std::string& id, const std::string& why) {
    std::fprintf(stderr, "flashsale: %s: %s\n", id.c_str(), why.c_str());
    return exit_does_not_hold;
}

int list(parked_source& source, bool dropped_too) {
    uuid after;
    while (true) {
        const auto page = must(source.record().parked->list(after, rows_per_page, dropped_too));
        for (const order::parked_row& one : page) {
            std::printf("%s  %s  %s  %s\n", one.id.to_string().c_str(),
                        to_rfc3339(one.created_at).c_str(), state_of(one), one.reason.c_str());
        }
        if (page.size() < rows_per_page) return exit_ok;
        after = page.back().id;
    }
}

int show(parked_source& source, const uuid& id) {
    const auto one = must(source.record().parked->find(id));
    if (!one) return not_done(id.to_string(), not_parked);
    std::printf("id       %s\nparked   %s\nstate    %s\nreason   %s\nevent    %s\n",
                one->id.to_string().c_str(), to_rfc3339(one->created_at).c_str(), state_of(*one),
                one->reason.c_str(), one->event.c_str());
    return exit_ok;
}

int decide(parked_source& source, bool drop, const uuid& id) {
    const record_ports& record = source.record();
    order::parked_decisions decisions({.parked = *record.parked,
                                       .orders = *record.recording,
                                       .ledger = *record.ledger,
                                       .units = source});
    const auto outcome = must(drop ? decisions.drop(id) : decisions.retry(id));
    const std::string text = text_of(outcome, source);
    if (!outcome.made()) return not_done(id.to_string(), text);
    std::puts(text.c_str());
    return exit_ok;
}

}  // namespace

int parked(const site& at, const parked_request& asked) {
    const bool to_decide = asked.action == "retry" || asked.action == "drop";
    const auto source = at.parked(to_decide);
    if (asked.action == "list") return list(*source, asked.dropped_too);
    const auto id = uuid::parse(asked.id);
    if (!id) return not_done(asked.id, "expected an id as `flashsale parked list` prints it");
    return to_decide ? decide(*source, asked.action == "drop", *id) : show(*source, *id);
}

}  // namespace flashsale::app
