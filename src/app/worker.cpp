#include "worker.hpp"

#include <boost/asio/post.hpp>

#include <flashsale/base/thread_name.hpp>
#include <future>

#include "compose.hpp"

namespace flashsale::app {

worker::worker(const config& settings, serving& behind, const health& state)
    : stands_on_(behind.for_worker(io_)),
      routes_(std::chrono::seconds(settings.http.catalogue_max_age_s)) {
    const worker_stores& stores = stands_on_->stores();
    user::directory_options users;
    users.cached_users_max = size_of(settings.users.cached_users_max);
    users.waiting_lookups_max = size_of(settings.users.waiting_lookups_max);
    users_ = user::make_directory(*stores.users, users);

    stock::gate& gate = stands_on_->gate();
    reserver_ = stock::make_reserver(io_, gate, behind.log(), behind.shards(),
                                     reserver_options_of(settings));

    // The hot route first: the router looks in this order.
    const auto currency = currency_code::of_record(settings.stock.currency);
    order::register_routes(
        routes_, {io_, *stores.orders, *stores.owed, *users_, gate, gate, *reserver_,
                  behind.changes(), behind.shards(), currency, *stores.desk, *stores.sale_orders});
    stock::register_routes(routes_, {io_, *stores.products, *stores.terms, *stores.sales, gate,
                                     gate, *reserver_, currency});
    user::register_routes(routes_, io_, *stores.users);
    register_health_routes(routes_, state, [this] { return stands_on_->dependencies(); });
}

bool worker::connected() {
    std::promise<bool> answer;
    asio::post(io_, [&] { answer.set_value(stands_on_->connected()); });
    return answer.get_future().get();
}

void worker::start() {
    asio::post(io_, [this] { stands_on_->start(); });
    thread_ = std::jthread([this] {
        name_this_thread("http worker");
        io_.run();
    });
}

void worker::stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
        stands_on_->stop();
        work_.reset();
        io_.stop();
    });
    thread_.join();
}

}  // namespace flashsale::app
