#include "recovery.hpp"

#include <flashsale/base/fault_board.hpp>
#include <flashsale/recovery/log_publisher.hpp>
#include <flashsale/recovery/rebuilder.hpp>
#include <flashsale/recovery/record_check.hpp>
#include <flashsale/recovery/shard_keeper.hpp>
#include <flashsale/stock/gate_account.hpp>

#include "record_ports.hpp"
#include "recovery_ports.hpp"

namespace flashsale::model {

namespace {

/// Short, so that passes, leases and pieces of a rebuild meet what goes wrong meanwhile.
recovery::options options() {
    recovery::options out;
    out.lease = std::chrono::milliseconds{1'500};
    out.confirm_deadline = std::chrono::milliseconds{confirm_deadline_ms};
    out.load_rows_max = 4;
    return out;
}

/// All that recovery uses, of one who has it.
struct outfit {
    explicit outfit(process& of)
        : asks_stock(of, *of.in.stock),
          asks_orders(of, *of.in.orders),
          registry(make_shard_registry(asks_stock)),
          products(make_stock_reader(asks_stock)),
          ledger(make_plain_ledger(asks_stock)),
          order_database(make_recovery_store(asks_orders)),
          orders(make_order_reader(asks_orders)),
          late(make_late_store(asks_orders)),
          log(of),
          time(of, log),
          publisher(of.io(), log, time),
          gate(stock::make_redis_gate_admin(
              [&of](const std::function<bool()>& done) { wait_for_server(of, done); },
              of.recovery_client(), 0, of.gate_options())),
          uses{.registry = *registry,
               .products = *products,
               .ledger = *ledger,
               .order_database = *order_database,
               .orders = *orders,
               .late = *late,
               .gates = {gate.get()},
               .gate = of.recovery_gate(),
               .epochs = of.epochs(),
               .log = log,
               .publisher = publisher,
               .timing = time,
               .make_id = [&of](std::uint32_t) { return of.make_id(); }} {}

    asking<stock_database> asks_stock;
    asking<order_database> asks_orders;
    std::unique_ptr<stock::shard_registry> registry;
    std::unique_ptr<stock::record_reader> products;
    std::unique_ptr<stock::ledger> ledger;
    std::unique_ptr<order::recovery_store> order_database;
    std::unique_ptr<order::record_reader> orders;
    std::unique_ptr<order::late_store> late;
    distant_log log;
    run_time time;
    recovery::log_publisher publisher;
    std::unique_ptr<stock::gate_admin> gate;
    const recovery::ports uses;
};

}  // namespace

void look_after_shards(process& of) {
    outfit has(of);
    fault_board board;
    const auto keeper = recovery::make_shard_keeper(has.uses, options(), board);
    for (;;) {
        of.block_until([&of] { return of.take_hurry(); }, of.in.random.between(100 * ms, 500 * ms));
        keeper->pass();
    }
}

void rebuild_as_an_operator(process& of) {
    world& in = of.in;
    outfit has(of);
    const recovery::ports& uses = has.uses;
    in.tell(of.name, "rebuilds the gate, as an operator wants it");
    const auto found =
        recovery::check_and_hold({*has.gate, uses.registry, uses.products, uses.order_database, 0,
                                  1, [] { return std::expected<void, std::string>{}; }});
    if (!found || found->what != recovery::record_verdict::kind::whole) {
        in.tell(of.name, "does not: {}", found ? found->why : found.error());
        return;
    }
    if (found->header && !found->header->held.empty())
        (void)has.gate->release(found->header->epoch, false);
    const uuid holder = of.make_id();
    if (!uses.registry.lease(0, holder, options().lease, true)) return;
    const auto result = recovery::rebuild(uses, options(), 0, holder);
    (void)uses.registry.release(0, holder);
    in.tell(of.name, "{}", result ? "has rebuilt it" : "has not rebuilt it: " + result.error());
}

}  // namespace flashsale::model
