// Each decision about a parked event: with a second one between any two of its steps, and after a
// death before any of them.

#include <catch2/catch.hpp>

#include <flashsale/order/parked_decisions.hpp>
#include <flashsale/order/recovery.hpp>

#include <functional>

using namespace flashsale;
using namespace flashsale::order;
using kind = parked_outcome::kind;

namespace {

struct death {};

/// Three units that a gate took for an order, and everything that can say what became of them.
class world final : public parked_events,
                    public recording,
                    public stock::ledger,
                    public parked_units {
public:
    world() {
        uuid_generator make;
        event.id = make.make();
        event.user_id = 7;
        event.product_id = 3;
        event.quantity = 3;
        event.idempotency_key = "key";
        event.created_at = event.id.time();
        event.epoch = event.seq = 1;
        row = parked_row{event.id, events::text_of(event), "reason", true, {}, {}};
    }

    parked_outcome retry() { return made(parked_decisions(uses()).retry(event.id)); }
    parked_outcome drop() { return made(parked_decisions(uses()).drop(event.id)); }

    /// `now` is called before step `number`, counted from 0 on.
    void before_step(int number, std::function<void()> now) {
        steps_left_ = number;
        then_ = std::move(now);
    }
    bool reached() const { return !then_; }

    // What an audit asks: the units are in one place, and no order is without them.
    bool is_sold() const { return order && in_ledger == units::sold && !row; }
    bool is_dropped() const {
        return !order && in_ledger == units::returned && row && row->dropped_at &&
               !row->holds_units;
    }

    events::order_accepted event;
    std::optional<parked_row> row;
    bool order = false;
    bool order_refused = false;
    enum class units { unknown, sold, returned } in_ledger = units::unknown;
    std::int64_t given_again = 0;
    bool with_product = true;
    bool asked_again = false;
    bool gate_asked_again = true;
    hold held = hold::none;
    std::string ledger_refuses;

private:
    parked_decisions::dependencies uses() {
        return {.parked = *this, .orders = *this, .ledger = *this, .units = *this};
    }
    static parked_outcome made(std::expected<parked_outcome, std::string> outcome) {
        REQUIRE(outcome.has_value());
        return *outcome;
    }
    void step() {
        if (!then_ || steps_left_-- > 0) return;
        std::exchange(then_, {})();
    }

    // ---- parked_events
    std::expected<std::vector<parked_row>, std::string> list(const uuid&, std::size_t,
                                                             bool) override {
        return {};
    }
    std::expected<std::optional<parked_row>, std::string> find(const uuid& id) override {
        step();
        return row && row->id == id ? row : std::nullopt;
    }
    std::expected<bool, std::string> order_recorded(const uuid&) override {
        step();
        return order;
    }
    std::expected<void, std::string> forget(const uuid&) override {
        step();
        row.reset();
        return {};
    }
    std::expected<void, std::string> ask_again_for(const uuid&, std::uint32_t) override {
        step();
        asked_again = true;
        return {};
    }
    std::expected<void, std::string> drop(const uuid&) override {
        step();
        if (row && !row->dropped_at) {
            row->dropped_at = timestamp{};
            row->holds_units = false;
        }
        return {};
    }

    // ---- recording
    std::expected<recording_report, std::string> record(std::span<const events::order_accepted>,
                                                        std::span<const events::poison>) override {
        step();
        recording_report out;
        if (order_refused) {
            out.parked.push_back(event.id);
        } else {
            order = true;
        }
        return out;
    }
    std::expected<void, std::string> park(std::span<const parking>) override { return {}; }
    std::expected<void, std::string> keep_late(std::span<const events::event>) override {
        return {};
    }
    /// Those that were parked, as the databases do.
    std::expected<void, std::string> take_back(std::span<const uuid>) override {
        step();
        if (row) order = false;
        return {};
    }
    std::expected<void, std::string> record_barriers(std::span<const events::barrier>) override {
        return {};
    }

    // ---- stock::ledger
    std::expected<std::vector<stock::refused_movement>, std::string> record(
        std::span<const stock::movement> movements) override {
        step();
        std::vector<stock::refused_movement> refused;
        if (!ledger_refuses.empty()) {
            refused.push_back({movements[0].taken(), ledger_refuses});
        } else if (in_ledger == units::returned) {
            refused.push_back({.of = movements[0].taken(), .reason = "", .given_back = true});
        } else {
            in_ledger = units::sold;
        }
        return refused;
    }

    // ---- parked_units
    bool asks_again() const override { return gate_asked_again; }
    std::expected<hold, std::string> hold_on(const uuid&) override {
        step();
        return held;
    }
    std::expected<stock::given_back, std::string> give_back(const stock::movement& taken) override {
        step();
        if (!with_product) return stock::given_back::no_product;
        if (in_ledger == units::sold) return stock::given_back::sold;
        if (in_ledger == units::returned) return stock::given_back::before;
        in_ledger = units::returned;
        given_again -= taken.delta;
        return stock::given_back::now;
    }
    std::expected<bool, std::string> is_given_back(const stock::movement&) override {
        step();
        return in_ledger == units::returned;
    }

    int steps_left_ = 0;
    std::function<void()> then_;
};

}  // namespace

TEST_CASE("parked decisions: retry records, and drop gives the units again, each once") {
    world here;
    SECTION("retry") {
        CHECK(here.retry().what == kind::recorded);
        CHECK(here.is_sold());
        CHECK(here.retry().what == kind::not_parked);
        CHECK(here.drop().what == kind::not_parked);
    }
    SECTION("drop") {
        const auto outcome = here.drop();
        CHECK(outcome.what == kind::given_back);
        CHECK(outcome.units == 3);
        CHECK(here.is_dropped());
        CHECK(here.drop().what == kind::dropped_before);
        CHECK(here.retry().what == kind::dropped_before);
        CHECK(here.given_again == 3);
    }
}

TEST_CASE("parked decisions: why nothing is decided is told, and nothing is changed") {
    world here;
    SECTION("the order database refuses it still") {
        here.order_refused = true;
        CHECK(here.retry().what == kind::refused_again);
    }
    SECTION("the gate is the database") {
        here.held = parked_units::hold::sold_by_gate;
        CHECK(here.drop().what == kind::sold_by_gate);
    }
    SECTION("the log still has it") {
        here.held = parked_units::hold::in_log;
        CHECK(here.drop().what == kind::in_log);
    }
    SECTION("it is no event") {
        here.row->event = "{}";
        CHECK(here.retry().what == kind::unreadable);
    }
    SECTION("it holds no units, and no gate is asked") {
        here.row->holds_units = here.gate_asked_again = false;
        CHECK(here.retry().what == kind::not_asked_again);
    }
    CHECK(here.row);
    CHECK_FALSE(here.row->dropped_at);
    CHECK_FALSE(here.order);
    CHECK(here.in_ledger == world::units::unknown);
}

TEST_CASE(
    "parked decisions: an order that the ledger refuses, or that was accepted, is not dropped") {
    world here;
    SECTION("the ledger refuses its movement") {
        here.ledger_refuses = "no product 3";
        const auto outcome = here.retry();
        CHECK(outcome.what == kind::refused_again);
        CHECK(outcome.reason == "no product 3");
        CHECK(here.drop().what == kind::order_recorded);
    }
    SECTION("the ledger has sold it") {
        here.in_ledger = world::units::sold;
        CHECK(here.drop().what == kind::in_ledger);
    }
    CHECK(here.row->holds_units);
}

TEST_CASE("parked decisions: what holds no units is dropped as a note, or asked for again") {
    world here;
    here.row->holds_units = false;
    SECTION("drop") {
        CHECK(here.drop().what == kind::dropped);
        CHECK(here.row->dropped_at);
    }
    SECTION("retry") {
        CHECK(here.retry().what == kind::to_be_asked_again);
        CHECK(here.asked_again);
    }
    CHECK(here.given_again == 0);
    CHECK(here.in_ledger == world::units::unknown);
}

TEST_CASE("parked decisions: what has no product is dropped, and gives nothing") {
    world here;
    here.with_product = false;
    CHECK(here.drop().what == kind::of_no_product);
    CHECK(here.row->dropped_at);
    CHECK(here.given_again == 0);
}

TEST_CASE("parked decisions: with another one between any two steps, one of the two is made") {
    const bool retry_first = GENERATE(true, false);
    int step = 0;
    for (bool reached = true; reached; ++step) {
        world here;
        parked_outcome second;
        here.before_step(step, [&] { second = retry_first ? here.drop() : here.retry(); });
        const auto first = retry_first ? here.retry() : here.drop();
        reached = here.reached();
        if (!reached) break;
        INFO((retry_first ? "retry" : "drop") << " first, step " << step);
        CHECK(first.made() != second.made());
        const bool sold = retry_first == first.made();
        CHECK(here.is_sold() == sold);
        CHECK(here.is_dropped() == !sold);
        CHECK(here.given_again == (sold ? 0 : 3));
    }
    CHECK(step == (retry_first ? 4 : 7));
}

TEST_CASE("parked decisions: what died before any step is finished by the same decision") {
    const bool retried = GENERATE(true, false);
    int step = 0;
    for (bool reached = true; reached; ++step) {
        world here;
        here.before_step(step, [] { throw death(); });
        const auto decide = [&] { return retried ? here.retry() : here.drop(); };
        try {
            decide();
        } catch (const death&) {
        }
        reached = here.reached();
        if (!reached) break;
        INFO((retried ? "retry" : "drop") << ", died before step " << step);
        // The other one does not undo what was begun, and changes nothing that it may not.
        const bool begun = retried ? here.order : here.in_ledger == world::units::returned;
        if (begun) {
            CHECK_FALSE((retried ? here.drop() : here.retry()).made());
        }
        CHECK(decide().made());
        CHECK((retried ? here.is_sold() : here.is_dropped()));
        CHECK(here.given_again == (retried ? 0 : 3));
    }
    CHECK(step == (retried ? 4 : 7));
}
