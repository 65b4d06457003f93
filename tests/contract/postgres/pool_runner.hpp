#pragma once

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <flashsale/postgres.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "scratch_database.hpp"

namespace flashsale::postgres::test {

/// A pool and its loop, turned by the test's own thread.
class pool_runner {
public:
    explicit pool_runner(options settings, pool_limits bounds = {})
        : pool_(std::make_unique<postgres::pool>(io_, std::move(settings), bounds)) {
        pool_->start();
    }

    postgres::pool& pool() { return *pool_; }
    asio::io_context& io() { return io_; }
    void destroy_pool() { pool_.reset(); }

    bool run_until(const std::function<bool()>& condition,
                   std::chrono::milliseconds limit = std::chrono::seconds(60)) {
        const auto until = std::chrono::steady_clock::now() + limit;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > until) return false;
            io_.restart();
            io_.run_one_for(std::chrono::milliseconds(10));
        }
        return true;
    }

    void wait_until_ready() {
        REQUIRE(run_until([&] { return pool_->ready(); }));
    }

    result ask(const statement& what, parameters with = {}) {
        auto answer = std::make_shared<std::optional<result>>();
        pool_->execute(what, std::move(with),
                       [answer](result outcome) { answer->emplace(std::move(outcome)); });
        REQUIRE(run_until([&] { return answer->has_value(); }));
        return std::move(**answer);
    }

private:
    asio::io_context io_{1};
    std::unique_ptr<postgres::pool> pool_;
};

}  // namespace flashsale::postgres::test
