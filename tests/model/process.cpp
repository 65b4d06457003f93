#include "process.hpp"

#include <boost/asio/co_spawn.hpp>

#include <algorithm>

#include <flashsale/base/must_hold.hpp>

#include "clerk_part.hpp"
#include "order_view.hpp"
#include "ports.hpp"
#include "promises.hpp"
#include "recovery.hpp"
#include "redis_server.hpp"
#include "service.hpp"

namespace flashsale::model {

namespace {

/// Every id is a user's.
class everybody final : public user::directory {
    bool is_known(std::int64_t) override { return true; }
    void exists(std::int64_t, callback<std::expected<bool, user::errc>> done) override {
        done(true);
    }
};

class no_changes final : public order::order_changes {
    void ask(order::change_request, asio::io_context&, callback<answer>) override {
        must_hold(false, "no order is changed");
    }
};

events::amqp_options amqp_options_of(const process& of) {
    events::amqp_options out;
    out.url = std::to_string(of.number);
    out.confirm_timeout = std::chrono::milliseconds{1'500};
    out.publish_window_messages_max = 4;
    out.events_per_message_max = 3;
    out.events_beside_another_min = 1;
    out.messages_per_batch_max = static_cast<std::size_t>(1 + of.number);
    return out;
}

std::string prefix_of(int place) {
    return place == 0 ? "flashsale" : "elsewhere";
}

constexpr micros tick_interval = 50 * ms;
/// Shorter than what the faults take, so that it happens.
constexpr std::chrono::milliseconds step_aside_after{400};

}  // namespace

struct process::parts {
    explicit parts(process& of)
        : client(io, redis::options{std::to_string(of.number)}),
          recovery_client(io, redis::options{std::to_string(of.number)}),
          epochs(1),
          gate(stock::make_redis_gate({&client}, epochs, of.gate_options())),
          recovery_gate(stock::make_redis_gate({&recovery_client}, epochs, of.gate_options())),
          log(events::make_amqp_log(amqp_options_of(of), came_back(of))),
          reserver(stock::make_reserver(io, *gate, *log, 1,
                                        {std::chrono::milliseconds{confirm_deadline_ms}, 16'384})),
          rows(make_order_view(of)),
          clerk(of.in.with_life ? std::make_unique<clerk_part>(of, io, *log, epochs) : nullptr),
          service(io, *rows, users, *gate, *gate, *reserver, changes()),
          reader(events::make_amqp_reader(amqp_options_of(of))),
          orders_port(make_recording_port(of)),
          ledger_port(make_ledger_port(of)),
          recorder({.log = *reader,
                    .database = *orders_port,
                    .ledger = *ledger_port,
                    .outbox = *gate,
                    .io = io,
                    .step_aside_after = step_aside_after,
                    .log_changes = [this] { return epochs.log_changes(); }}) {}

    std::function<void(const uuid&)> came_back(process& of) {
        return [this, &of](const uuid& token) {
            of.in.tell(of.name, "is told that nothing takes what comes under {}",
                       short_id(token.to_string()));
            if (!of.in.is_without(guard::return_stops)) epochs.shut_out(0, token);
            of.hurried_ = true;
        };
    }

    order::order_changes& changes() {
        return clerk ? clerk->changes() : static_cast<order::order_changes&>(none);
    }

    asio::io_context io{1};
    uuid_generator ids;
    redis::client client, recovery_client;
    stock::shard_epochs epochs;
    everybody users;
    std::unique_ptr<stock::gate> gate, recovery_gate;
    std::unique_ptr<events::log> log;
    std::unique_ptr<stock::reserver> reserver;
    std::unique_ptr<order::store> rows;
    no_changes none;
    std::unique_ptr<clerk_part> clerk;
    order::service service;
    std::unique_ptr<events::reader> reader;
    std::unique_ptr<order::recording> orders_port;
    std::unique_ptr<stock::ledger> ledger_port;
    order::recorder recorder;
};

namespace {

process* starting = nullptr;
std::map<const fiber*, process*> owners;

}  // namespace

process::process(world& of, int index) : in(of), number(index), name("p" + std::to_string(index)) {}

process::~process() {
    end_fibers();
    kept_.clear();
    parts_.reset();
}

void process::start() {
    ++life_;
    place_ = next_place_;
    in.tell(name, "starts{}", place_ == 0 ? "" : ", with its gate elsewhere");
    busy_ = 0;
    ticking_ = false;
    arrival_waiter_ = 0;
    arrival_ = false;
    hurried_ = false;
    parts_ = std::make_unique<parts>(*this);
    parts_->epochs.raise(0, in.stock->epoch);
    parts_->client.start();
    parts_->recovery_client.start();
    parts_->log->start();
    starting = this;
    parts_->recorder.start();
    if (parts_->clerk) parts_->clerk->start();
    starting = nullptr;
    adopt([this] { look_after_shards(*this); });
    poll();
}

void process::die() {
    if (!alive()) return;
    in.tell(name, "is killed");
    ++life_;
    ++sleeps_;
    asleep_ = false;
    missed_.clear();
    end_fibers();
    kept_.clear();
    parts_.reset();
    // Its servers see the end of its connections at once, or, if the machine went with it, later.
    in.after(in.random.between(0, 800 * ms), [this, was = life_ - 1] {
        in.orders->drop_sessions(number, was);
        in.stock->drop_sessions(number, was);
    });
}

void process::sleep_for(micros time) {
    if (!alive() || asleep_) return;
    in.tell(name, "is stopped for {} ms", time / ms);
    asleep_ = true;
    in.after(time, [this, nap = ++sleeps_] {
        if (sleeps_ != nap || !alive()) return;
        in.tell(name, "wakes");
        asleep_ = false;
        if (in.random.chance(50)) poll();  // its timers first, or what came
        std::vector<std::uint64_t> missed;
        missed.swap(missed_);
        for (const std::uint64_t one : missed)
            fire(one);
    });
}

void process::after(micros delay, std::move_only_function<void()> what) {
    call_later(in, number, life_, keep(std::move(what)), delay);
}

std::uint64_t process::keep(std::move_only_function<void()> what) {
    kept_.emplace(++last_kept_, std::move(what));
    return last_kept_;
}

void process::call_later(world& in, int number, std::uint64_t life, std::uint64_t kept,
                         micros delay) {
    in.after(delay, [&in, number, life, kept] {
        process& of = *in.processes[static_cast<std::size_t>(number)];
        if (of.life_ == life && of.alive()) of.fire(kept);
    });
}

void process::fire(std::uint64_t kept) {
    if (asleep_) return missed_.push_back(kept);
    auto found = kept_.extract(kept);
    if (found.empty()) return;
    found.mapped()();
    if (alive()) poll();
}

void process::poll() {
    do {
        parts_->io.restart();
        parts_->io.poll();
    } while (resume_a_waiter());
    tick();
}

bool process::resume_a_waiter() {
    const auto found =
        std::ranges::find_if(waiters_, [](const waiter& one) { return one.over || (*one.done)(); });
    if (found == waiters_.end()) return false;
    fiber* const who = found->who;
    waiters_.erase(found);
    who->resume();
    return true;
}

void process::tick() {
    if (ticking_ || (busy_ == 0 && in.redis->outbox_empty())) return;
    ticking_ = true;
    after(tick_interval, [this] { ticking_ = false; });
}

void process::spawn(awaitable<void> what) {
    asio::co_spawn(parts_->io.get_executor(), std::move(what), [](std::exception_ptr fault) {
        if (fault) std::rethrow_exception(fault);
    });
}

void process::rebuild_by_hand() {
    adopt([this] { rebuild_as_an_operator(*this); });
}

stock::redis_gate_options process::gate_options() const {
    stock::redis_gate_options out;
    out.key_prefix = prefix_of(place_);
    out.deployment = deployment;
    out.batching.reservations_max = 3;
    out.outbox_events_max = 1'000;
    return out;
}

void process::arrived() {
    arrival_ = true;
    if (arrival_waiter_ == 0) return;
    call_later(in, number, life_, std::exchange(arrival_waiter_, 0), 0);
}

process& process::being_started() {
    return *starting;
}

process& process::of_current_fiber() {
    return *owners.at(fiber::current());
}

std::uint64_t process::adopt(std::function<void()> body) {
    fibers_.push_back(std::make_unique<fiber>(std::move(body)));
    fiber& made = *fibers_.back();
    owners.emplace(&made, this);
    after(0, [&made] { made.resume(); });
    return fibers_.size();
}

void process::end_fibers() {
    for (const auto& one : fibers_) {
        one->kill();
        owners.erase(one.get());
    }
    fibers_.clear();
    waiters_.clear();
}

void process::nap(micros time) {
    after(time, [self = fiber::current()] { self->resume(); });
    fiber::block();
}

void process::block_for_arrival(micros most) {
    if (std::exchange(arrival_, false)) return;
    const std::uint64_t waiter = keep([self = fiber::current()] { self->resume(); });
    arrival_waiter_ = waiter;
    in.after(most, [this, life = life_, waiter] {
        if (life_ != life || !alive() || arrival_waiter_ != waiter) return;
        arrival_waiter_ = 0;
        fire(waiter);
    });
    fiber::block();
    arrival_ = false;
}

void process::block_until(const std::function<bool()>& done, micros most) {
    if (done()) return;
    const std::uint64_t mine = ++last_waiter_;
    waiters_.push_back({mine, fiber::current(), &done});
    if (most > 0) {
        after(most, [this, mine] {
            const auto found = std::ranges::find(waiters_, mine, &waiter::number);
            if (found != waiters_.end()) found->over = true;
        });
    }
    fiber::block();
}

stock::gate& process::gate() {
    return *parts_->gate;
}
order::service& process::service() {
    return parts_->service;
}
stock::reserver& process::reserver() {
    return *parts_->reserver;
}
stock::gate& process::recovery_gate() {
    return *parts_->recovery_gate;
}
redis::client& process::recovery_client() {
    return parts_->recovery_client;
}
stock::shard_epochs& process::epochs() {
    return parts_->epochs;
}
uuid process::make_id() {
    return parts_->ids.make();
}
events::log& process::log() {
    return *parts_->log;
}
asio::io_context& process::io() {
    return parts_->io;
}

}  // namespace flashsale::model
