#include <boost/asio/io_context.hpp>
#include <flashsale/events/event.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/redis.hpp>
#include <flashsale/stock/module.hpp>

#include "limits/limits.hpp"

namespace flashsale::bench {

namespace {

constexpr std::int64_t product_id = 1;
constexpr std::size_t in_flight = 8;

/// A gate that no server uses, opened as `flashsale serve` opens its own.
class lone_gate {
public:
    explicit lone_gate(const deployment& world)
        : client_{io_, redis_options(world)}, database_{stock_options(world)} {
        client_.start();
        for (int i = 0; i < 500 && !client_.ready(); ++i)
            io_.run_for(std::chrono::milliseconds{10});
        if (!client_.ready()) throw std::runtime_error("redis: " + client_.fault());
        options_.key_prefix = world.name();
        options_.outbox_events_max = 100'000'000;
        stock::open_new_shards(wait_on(io_), database_, {&client_}, epochs_, options_,
                               [](const uuid&) { return std::expected<void, std::string>{}; });
        gate_ = stock::make_redis_gate({&client_}, epochs_, options_);
        bool given = false;
        gate_->give({{product_id, 1'000'000'000, 1'999, std::nullopt, std::nullopt, std::nullopt}},
                    [&given](std::expected<void, stock::errc> done) {
                        if (!done) throw std::runtime_error("redis refuses a product");
                        given = true;
                    });
        run_until(given);
    }

    ~lone_gate() {
        client_.stop();
        io_.restart();
        io_.poll();
    }

    /// Seconds that all batches take, several under way at a time.
    double reserve(std::vector<std::vector<stock::reservation>> batches) {
        bool done = batches.empty();
        std::size_t next = 0, finished = 0;
        std::function<void()> send = [&] {
            if (next == batches.size()) return;
            gate_->reserve(std::move(batches[next++]), [&](std::vector<stock::decision> all) {
                for (const auto& one : all) {
                    if (!one) throw std::runtime_error("redis refuses a reservation");
                }
                done = ++finished == batches.size();
                send();
            });
        };
        const auto begin = clock::now();
        for (std::size_t i = 0; i < in_flight; ++i)
            send();
        run_until(done);
        return std::chrono::duration<double>(clock::now() - begin).count();
    }

    std::vector<std::vector<stock::reservation>> make(std::size_t count, std::size_t batch) {
        std::vector<std::vector<stock::reservation>> all;
        for (std::size_t made = 0; made < count; ++made) {
            if (made % batch == 0) all.emplace_back().reserve(batch);
            stock::reservation one;
            one.product_id = product_id;
            one.user_id = ++user_;
            one.quantity = 1;
            one.idempotency_key = keys_.emplace_back("limits-" + std::to_string(user_));
            one.id = ids_.make();
            one.dated_by_gate = true;
            all.back().push_back(one);
        }
        return all;
    }

private:
    static redis::options redis_options(const deployment& world) {
        redis::options out;
        out.url = world.servers().redis;
        return out;
    }
    static postgres::options stock_options(const deployment& world) {
        postgres::options out;
        out.url = world.servers().stock;
        return out;
    }

    void run_until(const bool& done) {
        io_.restart();
        while (!done)
            io_.run_one();
    }

    asio::io_context io_{1};
    redis::client client_;
    postgres::session database_;
    stock::shard_epochs epochs_{1};
    stock::redis_gate_options options_;
    std::unique_ptr<stock::gate> gate_;
    uuid_generator ids_;
    std::int64_t user_ = 0;
    std::deque<std::string> keys_;
};

}  // namespace

std::string sample_event(std::uint64_t seq) {
    static uuid_generator ids;
    events::order_accepted event;
    event.id = ids.make();
    event.user_id = 123'456;
    event.product_id = 1;
    event.quantity = 1;
    event.idempotency_key = "limits-" + std::to_string(seq);
    event.created_at = event.id.time();
    event.unit_price = 1'999;
    event.epoch = 1;
    event.seq = seq;
    return events::granted_text(event);
}

std::vector<limit_row> measure_redis(const workplace& where, const limit_sizes& sizes) {
    const deployment world{where};
    processes who;
    add_stack_servers(who);
    who.add("client", getpid());
    std::vector<limit_row> rows;
    for (const auto batch : {std::size_t{1}, std::size_t{16}, std::size_t{64}}) {
        lone_gate gate{world};
        auto batches = gate.make(sizes.reservations, batch);
        const auto before = who.sample();
        const double seconds = gate.reserve(std::move(batches));
        const auto cpu = cpu_between(who, before, who.sample());
        limit_row row{.part = "Redis, reserve script",
                      .how = std::to_string(batch) + " per call, 8 calls in flight",
                      .per_second = static_cast<double>(sizes.reservations) / seconds,
                      .unit = "reservations/s"};
        if (cpu_of(cpu, "redis") > 0) row.server_busy = cpu_of(cpu, "redis") / seconds;
        row.client_busy = cpu_of(cpu, "client") / seconds;
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace flashsale::bench
