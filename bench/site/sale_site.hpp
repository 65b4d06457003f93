#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "load/order_stream.hpp"
#include "load/plain_http.hpp"
#include "load/progress.hpp"
#include "load/window.hpp"
#include "record/record_source.hpp"
#include "site/child.hpp"
#include "site/deployment.hpp"
#include "site/shop.hpp"

namespace flashsale::bench {

/// The books of a measurement do not balance: there is no speed to be told.
struct sums_fail : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// flashsale serving a deployment of its own, with users in it and the sums over its databases.
/// Everything throws std::runtime_error with a sentence.
class sale_site {
public:
    sale_site(const workplace& where, std::size_t users, progress_line& progress,
              const variables& extra = {});

    const target& to() const { return to_; }
    pid_t pid() const { return server_.pid(); }
    const processes& who() const { return who_; }
    std::span<const std::int64_t> users() const { return users_; }
    const deployment& world() const { return world_; }

    /// New products, over HTTP.
    std::vector<sold_product> add_products(std::size_t count, std::int64_t stock_each);
    sold_product add_product(std::int64_t stock) { return add_products(1, stock).front(); }
    /// One whose orders are held for so long, until they are paid for.
    sold_product add_held_product(std::int64_t stock, std::int64_t payment_window_s);

    /// A plan for these products: a run name of its own, and users that asked longest ago.
    stream_plan plan(std::vector<sold_product> products);

    load_options load(std::size_t connections) const;
    window_result run(order_stream& orders, std::size_t connections, const window_options& options);

    /// Waits, but not longer than `most`, until the disk has what was written and the servers have
    /// done with what came before.
    void settle(std::chrono::milliseconds most) const;
    /// Waits until all that a stream was promised is stored. Returns when the last row came.
    clock::time_point wait_until_stored(const order_stream& one);
    /// The same for several, and then adds it all up; throws sums_fail.
    void check(std::span<const order_stream* const> streams);
    void check(const order_stream& one) {
        const order_stream* const all[] = {&one};
        check(all);
    }
    /// What clients know by other ways.
    void check(const sale& known);
    /// Ends the server in order, and audits; throws sums_fail. Last.
    void close();

    plain_answer ask(std::string_view request);
    std::int64_t metric(std::string_view name);

private:
    clock::time_point wait_until_stored(const sale& known);
    std::vector<sold_product> add(const std::vector<new_product>& wanted);

    deployment world_;
    child server_;
    target to_;
    processes who_;
    std::vector<std::int64_t> users_;
    std::size_t next_user_ = 0;
    std::unique_ptr<record_source> databases_;
    progress_line& progress_;
};

/// The bare server, in a process of its own.
class bare_site {
public:
    explicit bare_site(std::size_t answer_bytes);

    const target& to() const { return to_; }
    const processes& who() const { return who_; }
    window_result run(order_stream& requests, std::size_t connections,
                      const window_options& options);

private:
    child server_;
    target to_;
    processes who_;
};

/// This program's own path.
std::string own_path();

}  // namespace flashsale::bench
