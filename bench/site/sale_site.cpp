#include "site/sale_site.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <thread>

#include "site/shop.hpp"
#include "site/storing.hpp"

namespace flashsale::bench {

namespace {

using std::chrono::seconds;

constexpr seconds start_patience{120};
constexpr seconds storing_max{120};
constexpr std::chrono::milliseconds look_interval{300};
constexpr double quiet_share = 0.1;  ///< of one core, all processes together

target local(std::uint16_t port) {
    auto parsed = parse_target("http://127.0.0.1:" + std::to_string(port));
    if (!parsed) throw std::runtime_error(parsed.error());
    return std::move(*parsed);
}

load_options load_on(const target& to, std::size_t connections) {
    load_options load;
    load.targets = {to};
    load.connections = connections;
    return load;
}

std::vector<std::int64_t> ids_of(const std::vector<sold_product>& products) {
    std::vector<std::int64_t> ids;
    for (const auto& product : products)
        ids.push_back(product.id);
    return ids;
}

}  // namespace

std::string own_path() {
    return std::filesystem::read_symlink("/proc/self/exe").string();
}

sale_site::sale_site(const workplace& where, std::size_t users, progress_line& progress,
                     const variables& extra)
    : world_{where, extra},
      server_{world_.serve_command(), world_.settings()},
      to_{local(server_.listening_port(start_patience))},
      users_{world_.insert_users(users)},
      databases_{world_.record()},
      progress_{progress} {
    who_.add("server", server_.pid());
    add_stack_servers(who_);
    who_.add("generator", getpid());
    if (const auto opened = databases_->open(); !opened) throw std::runtime_error(opened.error());
}

std::vector<sold_product> sale_site::add_products(std::size_t count, std::int64_t stock_each) {
    return add(std::vector<new_product>(count, {.stock = stock_each}));
}

sold_product sale_site::add_held_product(std::int64_t stock, std::int64_t payment_window_s) {
    return add({{.stock = stock, .payment_window_s = payment_window_s}}).front();
}

std::vector<sold_product> sale_site::add(const std::vector<new_product>& wanted) {
    const auto made = create_products(load(16), make_run_name(), wanted, &progress_);
    if (!made) throw std::runtime_error(made.error());
    std::vector<sold_product> all;
    for (std::size_t i = 0; i < made->size(); ++i)
        all.push_back({(*made)[i], wanted[i].stock, std::nullopt});
    return all;
}

stream_plan sale_site::plan(std::vector<sold_product> products) {
    return {.users = users_,
            .products = std::move(products),
            .run = make_run_name(),
            .first_user = next_user_};
}

load_options sale_site::load(std::size_t connections) const {
    return load_on(to_, connections);
}

window_result sale_site::run(order_stream& orders, std::size_t connections,
                             const window_options& options) {
    auto result = run_window(load(connections), orders, who_, options, &progress_);
    if (!result.failure.empty()) throw std::runtime_error(result.failure);
    next_user_ = (next_user_ + orders.sent()) % users_.size();
    return result;
}

void sale_site::settle(std::chrono::milliseconds most) const {
    if (most.count() == 0) return;
    ::sync();
    const auto until = clock::now() + most;
    auto before = who_.sample();
    while (clock::now() < until) {
        std::this_thread::sleep_for(look_interval);
        auto after = who_.sample();
        double busy = 0;
        for (const auto& [name, seconds] : cpu_between(who_, before, after))
            busy += seconds;
        if (busy < quiet_share * std::chrono::duration<double>(look_interval).count()) return;
        before = std::move(after);
    }
}

clock::time_point sale_site::wait_until_stored(const sale& known) {
    const auto last = bench::wait_until_stored(*databases_, ids_of(known.products),
                                               known.accepted.size(), storing_max, progress_);
    progress_.clear();
    if (!last) throw std::runtime_error(last.error());
    return *last;
}

clock::time_point sale_site::wait_until_stored(const order_stream& one) {
    return wait_until_stored(one.known());
}

void sale_site::check(std::span<const order_stream* const> streams) {
    sale known;
    for (const auto* each : streams) {
        if (!each->faults().empty()) throw sums_fail(each->faults().front());
        auto part = each->known();
        for (const auto& product : part.products) {
            const auto had = std::ranges::find(known.products, product.id, &sold_product::id);
            if (had == known.products.end()) known.products.push_back(product);
        }
        std::ranges::move(part.accepted, std::back_inserter(known.accepted));
        std::ranges::move(part.unsure, std::back_inserter(known.unsure));
    }
    check(known);
}

void sale_site::check(const sale& known) {
    wait_until_stored(known);
    const auto record = databases_->read(ids_of(known.products));
    if (!record) throw std::runtime_error(record.error());
    const auto sums = add_up(known, *record);
    if (!sums.hold() || sums.parked != 0) {
        std::string text = "the sums over the databases do not hold";
        for (const auto& finding : sums.findings)
            text += "\n  " + finding;
        if (sums.parked != 0) text += "\n  events parked: " + std::to_string(sums.parked);
        throw sums_fail(text);
    }
}

void sale_site::close() {
    if (const int code = server_.stop(); code != 0) {
        throw std::runtime_error("flashsale serve ended with exit code " + std::to_string(code) +
                                 ":\n" + server_.output());
    }
    if (const auto fault = world_.audit_fault()) throw sums_fail(*fault);
}

plain_answer sale_site::ask(std::string_view request) {
    asio::io_context io;
    return plain_http{io, to_}.send(request);
}

std::int64_t sale_site::metric(std::string_view name) {
    asio::io_context io;
    return metric_in(plain_http{io, to_}.get("/metrics").body, name);
}

bare_site::bare_site(std::size_t answer_bytes)
    : server_{{own_path(), "bare", "--answer-bytes", std::to_string(answer_bytes)}},
      to_{local(server_.listening_port(start_patience))} {
    who_.add("server", server_.pid());
    who_.add("generator", getpid());
}

window_result bare_site::run(order_stream& requests, std::size_t connections,
                             const window_options& options) {
    auto result = run_window(load_on(to_, connections), requests, who_, options);
    if (!result.failure.empty()) throw std::runtime_error(result.failure);
    return result;
}

}  // namespace flashsale::bench
