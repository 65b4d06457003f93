// A process goes on selling from a gate that the opener of the next one cannot reach: under other
// keys, on a server that is cut off, or asleep. Only the log hears of both.

#include "apart.hpp"

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;
using enum stack::server;

/// The configuration is changed, and the first process has not heard of it: it sleeps.
void drift_past_a_sleeper(world& w, const std::string& variable, const std::string& value) {
    first_gate replaced(w);
    w.kill(0, SIGSTOP);
    w.fault();
    w.place().set(variable, value);
    w.stop(1);
    w.start(1);
    w.until("another gate", [&] { return rebuilt_by(w, 1) > 0; });
    w.sell(5);
    w.kill(0, SIGCONT);
    replaced.sell_from_both();
}

/// The sleeper wakes while the other one sleeps, and has its lease. What the first gate grants
/// comes back, and is in its outbox; so the sleeper rebuilds that gate, and publishes it behind the
/// fence of the second, which has sold its units.
void drift_past_a_sleeper_that_rebuilds(world& w) {
    first_gate replaced(w);
    w.kill(0, SIGSTOP);
    w.fault();
    w.place().set("FLASHSALE_REDIS__KEY_PREFIX", w.place().name() + "-2");
    w.stop(1);
    w.start(1);
    w.until("another gate", [&] { return rebuilt_by(w, 1) > 0; });
    w.sell(5);
    w.kill(1, SIGSTOP);
    w.fault();
    w.wait(2s);  // its lease lasts one
    w.kill(0, SIGCONT);
    w.until("a rebuild by the sleeper", [&] {
        return w.shop(0)->log().find(" is being rebuilt, epoch ") != std::string::npos;
    });
    w.kill(1, SIGCONT);  // and records
    w.until("events behind a fence", [&] {
        return w.shop(1)->log().find(" came after its record was read") != std::string::npos;
    });
    replaced.sell_from_both();
}

void drift_to_another_prefix(world& w) {
    drift_past_a_sleeper(w, "FLASHSALE_REDIS__KEY_PREFIX", w.place().name() + "-2");
}

void drift_to_another_database(world& w) {
    const std::string variable = "FLASHSALE_REDIS__URL";
    auto url = w.place().variables().at(variable);
    w.undo_later([] { stack::redis_cli({"-n", "1", "FLUSHDB"}); });
    drift_past_a_sleeper(w, variable, url.replace(url.rfind('/'), std::string::npos, "/1"));
}

void cut_off_with_the_master(world& w) {
    const auto replica = follow(w, 20);
    w.undo_later([replica] {});  // serves until the books are closed
    const auto before = rebuilt_by(w, 1);
    fail_over(w, *replica);
    w.redis().open();
    first_gate replaced(w);
    w.until("another gate", [&] { return rebuilt_by(w, 1) > before; });
    replaced.sell_from_both();
}

/// It sleeps meanwhile, and finds its connection to the broker lost.
void drop_past_a_rebuild(world& w) {
    const auto replica = follow(w, 20);
    w.undo_later([replica] {});
    const auto before = rebuilt_by(w, 1);
    first_gate replaced(w);
    w.kill(0, SIGSTOP);
    fail_over(w, *replica);
    w.redis().open();
    w.until("another gate", [&] { return rebuilt_by(w, 1) > before; });
    w.sell(5);
    w.own().rabbitmq.cut();
    w.fault();
    w.kill(0, SIGCONT);
    replaced.sell_from_both();
}

// ---- others at the broker

std::string eval(const std::string& what) {
    return stack::rabbitmqctl({"eval", what});
}

/// A stranger's queue, and an exchange that leads to it.
std::string foreign_queue(const std::string& ns) {
    return "Ns = <<\"" + ns +
           ".\">>, Who = <<\"nobody\">>,"
           "Name = fun(Kind, End) -> rabbit_misc:r(<<\"/\">>, Kind, <<Ns/binary, End/binary>>) end,"
           "Queue = Name(queue, <<\"foreign\">>), Elsewhere = Name(exchange, <<\"elsewhere\">>),"
           "rabbit_amqqueue:declare(Queue, true, false, [], none, Who),"
           "rabbit_exchange:declare(Elsewhere, fanout, true, false, false, [], Who),"
           "ok = rabbit_binding:add({binding, Elsewhere, <<>>, Queue, []}, Who),";
}

/// A stranger wants to see everything, whatever exchange it comes from, and what else comes back
/// too.
void foreign_queue_on_everything(world& w) {
    const auto ns = w.place().name();
    eval(foreign_queue(ns) +
         "[ok = rabbit_binding:add({binding, X, <<\"#\">>, Queue, []}, Who)"
         " || {resource, _, exchange, Of} = X <- rabbit_exchange:list_names(),"
         "    binary:longest_common_prefix([Ns, Of]) =:= byte_size(Ns)].");
    w.undo_later([] { stack::rabbitmqctl({"clear_policy", "foreign"}); });
    stack::rabbitmqctl({"set_policy", "foreign", "^" + ns + "\\.",
                        R"({"alternate-exchange":")" + ns + R"(.elsewhere"})", "--apply-to",
                        "exchanges"});
    w.fault();
    cut_off_with_the_master(w);
}

/// A stranger listens under the very key of a gate: what that gate grants would be taken for ever.
/// Nothing is opened until that one has gone.
void foreign_queue_under_its_key(world& w) {
    const auto replica = follow(w, 20);
    w.undo_later([replica] {});
    const auto before = rebuilt_by(w, 1);
    const auto opened = [&] { return rebuilt_by(w, 1) > before; };
    first_gate replaced(w);
    const auto token =
        *w.place().sql(sandbox::database::stock, "SELECT token FROM shards").at(0).at(0);
    const auto binding = [&](const std::string& what) {
        eval(foreign_queue(w.place().name()) + "rabbit_binding:" + what +
             "({binding, Name(exchange, <<\"log\">>), <<\"" + token + "\">>, Queue, []}, Who).");
        w.fault();
    };
    binding("add");
    w.kill(0, SIGSTOP);
    fail_over(w, *replica);
    w.redis().open();
    w.until("another gate, or a reason for none", [&] {
        return opened() || w.shop(1)->log().find("is not rebuilt: prove_") != std::string::npos;
    });
    if (!opened()) binding("remove");
    w.until("another gate", opened);
    w.kill(0, SIGCONT);
    replaced.sell_from_both();
}

/// The second time, one process sleeps past all that is done about it.
void wipe_twice(world& w) {
    stack::restart_empty(rabbitmq);
    w.fault();
    w.sell(200);
    w.kill(0, SIGSTOP);
    stack::restart_empty(rabbitmq);
    w.fault();
    w.sell(100);
    w.kill(0, SIGCONT);
    w.sell(200);
}

// ---- a clock that stood still

/// As a suspended machine's: its batch is as old as it was, it believes.
void suspend_past_a_rebuild(world& w) {
    const auto before = rebuilt_by(w, 1);
    const auto sent = [&] { return counter(w, 0, "amqp_published_total"); };
    w.redis().close();  // the second has none of it
    grant_and_lose_the_log(w);
    const auto unsent = sent();
    w.kill(0, SIGSTOP);
    const auto since = std::chrono::steady_clock::now();
    stack::redis_cli({"FLUSHALL"});
    w.fault();
    w.redis().open();
    w.until("another gate", [&] { return rebuilt_by(w, 1) > before; });
    {
        const no_reconciling yet(w);
        sell_out(w);
        w.own().rabbitmq.open();
        w.wake_with_stopped_clock(since);
        w.until("the batch published", [&] { return sent() > unsent; });
    }
    w.sell(30);
}

}  // namespace

std::vector<cell> fence_cells() {
    const world_options apart = apart_options();
    cell prefix{"another key prefix, past a sleeper", drift_to_another_prefix, apart};
    // It is refused as it starts, with this guard; the fence must hold for who gets past that.
    prefix.options.without = {"identity"};
    prefix.crash_points = true;
    cell database = prefix;
    database.name = "another database number, past a sleeper";
    database.fault = drift_to_another_database;
    cell rebuilds = prefix;
    rebuilds.name = "another key prefix, past a sleeper that rebuilds its own";
    rebuilds.fault = drift_past_a_sleeper_that_rebuilds;
    cell cut{"master and process cut off together, replica promoted", cut_off_with_the_master,
             apart};
    cell dropped{"dropped by the broker past a rebuild, and back", drop_past_a_rebuild, apart};
    cell foreign{"a foreign queue on # and an alternate exchange, master cut off",
                 foreign_queue_on_everything, apart};
    cell key{"a foreign queue under the gate's own key, master cut off",
             foreign_queue_under_its_key, apart};
    cell suspended{"suspended between grant and publication, past a rebuild",
                   suspend_past_a_rebuild, apart};
    suspended.options.stopping_clock = true;
    suspended.options.patient = 0.8;
    suspended.options.variables["FLASHSALE_REDIS__REPLY_TIMEOUT_MS"] = "10000";
    cell wiped{"rabbitmq: its data wiped twice, the second time past a sleeper", wipe_twice};
    return {prefix, database, rebuilds, cut, dropped, foreign, key, suspended, wiped};
}

}  // namespace flashsale::test
