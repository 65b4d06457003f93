#include "clerk_part.hpp"

#include "ports.hpp"
#include "recovery_ports.hpp"

namespace flashsale::model {

namespace {

order::clerk_options options() {
    order::clerk_options out;
    out.batch_orders_max = 3;  // so that there are several
    out.payment_grace = std::chrono::seconds{1};
    return out;
}

/// Meanwhile the reserver's timer has its turns.
struct busy {
    explicit busy(process& one) : of(one) { of.ask_to_wait(); }
    ~busy() { of.done_waiting(); }
    process& of;
};

void wait_for_gate(process& of, const std::function<bool()>& done) {
    const busy until_then(of);
    wait_for_server(of, done);
}

}  // namespace

clerk_part::clerk_part(process& of, asio::io_context& io, events::log& log,
                       stock::shard_epochs& epochs)
    : client_(io, redis::options{std::to_string(of.number)}),
      gate_(stock::make_redis_gate({&client_}, epochs, of.gate_options())),
      reserver_(stock::make_reserver(io, *gate_, log, 1,
                                     {std::chrono::milliseconds{confirm_deadline_ms}, 16'384})),
      orders_(make_life_store(of)),
      money_(make_money_store(of)),
      replacements_(make_replacement_store(of)),
      record_(make_recording_port(of)),
      balances_(make_charges_port(of)),
      credits_(make_credits_port(of)),
      units_(make_returns_port(of)),
      clerk_({*orders_, *money_, *replacements_, *record_, *balances_, *credits_, *units_, *gate_,
              *gate_, *gate_, *reserver_,
              [&of](const std::function<bool()>& done) { wait_for_gate(of, done); }, [] {}},
             options()) {}

void clerk_part::start() {
    client_.start();
    clerk_.start();
}

}  // namespace flashsale::model
