#include "worker.hpp"

#include <boost/asio/post.hpp>

#include <flashsale/base/thread_name.hpp>
#include <future>

namespace flashsale::app {

worker::worker(const config& settings, stock::shard_generations& generations, events::log& log,
               const health& state)
    : access_(io_, settings, generations),
      user_database_(io_, postgres_options(settings, settings.postgres.user_url),
                     pool_limits(settings)),
      order_database_(io_, postgres_options(settings, settings.postgres.order_url),
                      pool_limits(settings)),
      user_store_(user::make_postgres_store(user_database_)),
      stock_store_(stock::make_postgres_store(access_.stock_database())),
      order_store_(order::make_postgres_store(order_database_)) {
    user::directory_options users;
    users.cached_users_max = size_of(settings.users.cached_users_max);
    users.waiting_lookups_max = size_of(settings.users.waiting_lookups_max);
    users_ = user::make_directory(*user_store_, users);

    stock::reserver_options reserves;
    reserves.confirm_deadline = ms_of(settings.orders.confirm_deadline_ms);
    reserves.waiting_reservations_max = size_of(settings.stock.waiting_reservations_max);
    reserver_ = stock::make_reserver(io_, access_.gate(), log, shards_of(settings), reserves);

    // The hot route first: the router looks in this order.
    order::register_routes(routes_, {io_, *order_store_, *users_, access_.gate(), *reserver_});
    stock::register_routes(routes_, {io_, *stock_store_, access_.gate(), *reserver_});
    user::register_routes(routes_, io_, *user_store_);
    register_health_routes(routes_, state, [this] { return dependencies(); });
}

std::vector<dependency_state> worker::dependencies() {
    const auto of_pool = [](std::string_view name, const postgres::pool& pool) {
        dependency_state out{name, std::nullopt, false};
        if (!pool.ready()) out.fault = pool.fault();
        return out;
    };
    std::vector<dependency_state> out;
    const auto gate = access_.gate().check();
    out.push_back({"gate", gate ? std::nullopt : std::optional(gate.error()), true});
    out.push_back(of_pool("user_database", user_database_));
    out.push_back(of_pool("stock_database", access_.stock_database()));
    out.push_back(of_pool("order_database", order_database_));
    return out;
}

bool worker::connected() {
    std::promise<bool> answer;
    asio::post(io_, [&] {
        answer.set_value(std::ranges::none_of(
            dependencies(), [](const dependency_state& one) { return one.fault.has_value(); }));
    });
    return answer.get_future().get();
}

void worker::start() {
    asio::post(io_, [this] {
        access_.start();
        user_database_.start();
        order_database_.start();
    });
    thread_ = std::jthread([this] {
        name_this_thread("http worker");
        io_.run();
    });
}

void worker::stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
        access_.stop();
        user_database_.stop();
        order_database_.stop();
        work_.reset();
        io_.stop();
    });
    thread_.join();
}

}  // namespace flashsale::app
