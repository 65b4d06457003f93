#pragma once

// A module's database, fresh and migrated, of either kind, and what its adapters are made from. The
// test's thread plays the part of all threads.

#include <catch2/catch.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <flashsale/postgres.hpp>
#include <flashsale/sqlite.hpp>

#include <optional>
#include <string>

#include "sandbox.hpp"
#include "scratch_folder.hpp"

namespace flashsale::test {

enum class database_kind { postgres, sqlite };

inline database_kind each_database() {
    return GENERATE(database_kind::postgres, database_kind::sqlite);
}

class module_database {
public:
    module_database(database_kind kind, sandbox::database which,
                    std::span<const migration> of_sqlite) {
        if (kind == database_kind::postgres) {
            sandbox_.emplace();
            server_.url = sandbox_->url(which);
            // A busy machine is no fault.
            server_.lock_timeout = server_.statement_timeout = std::chrono::seconds{60};
            session_.emplace(server_);
            pool_.emplace(io_, server_, postgres::pool_limits{});
            pool_->start();
            while (!pool_->ready())
                io_.run_one();
            return;
        }
        sqlite::options settings;
        settings.file = folder_ / "module.db";
        sqlite::migrate(settings, of_sqlite);
        auto opened = sqlite::database::open(settings);
        if (!opened) throw std::runtime_error(opened.error().message);
        file_.emplace(std::move(*opened));
        queue_.emplace(settings, sqlite::queue_limits{});
        queue_->start();
    }

    ~module_database() { stop(); }

    /// Of the kind that it is; the other one is null.
    postgres::pool* pool() { return pool_ ? &*pool_ : nullptr; }
    postgres::session* session() { return session_ ? &*session_ : nullptr; }
    /// For further sessions.
    const postgres::options& server() const { return server_; }
    sqlite::queue* queue() { return queue_ ? &*queue_ : nullptr; }
    sqlite::database* file() { return file_ ? &*file_ : nullptr; }
    asio::io_context& io() { return io_; }

    /// SQL that both understand.
    void sql(const std::string& statements) {
        if (session_) {
            const auto done = session_->script(statements);
            if (!done) FAIL(done.error().message);
        } else {
            const auto done = file_->script(statements);
            if (!done) FAIL(done.error().message);
        }
    }
    /// What was applied.
    std::vector<std::string> migrate(std::span<const migration> of_postgres,
                                     std::span<const migration> of_sqlite) {
        if (session_) return postgres::migrate(server_, of_postgres);
        return sqlite::migrate({.file = file_->file()}, of_sqlite);
    }
    /// What serves the HTTP workers ends; the blocking connections stay.
    void stop() {
        if (pool_) pool_->stop();
        if (queue_) queue_->stop();
        io_.restart();
        io_.poll();
    }

    template <class T>
    T wait(awaitable<T> what) {
        std::optional<T> result;
        std::exception_ptr thrown;
        asio::co_spawn(io_, std::move(what), [&](std::exception_ptr error, T value) {
            thrown = error;
            result = std::move(value);
        });
        run_until([&] { return result.has_value(); });
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*result);
    }

    void run_until(const std::function<bool()>& condition) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (!condition()) {
            if (std::chrono::steady_clock::now() > until) FAIL("no answer came");
            io_.restart();
            io_.run_one_for(std::chrono::milliseconds{10});
        }
    }

private:
    asio::io_context io_{1};
    std::optional<sandbox> sandbox_;
    postgres::options server_;
    std::optional<postgres::session> session_;
    std::optional<postgres::pool> pool_;
    scratch_folder folder_;
    std::optional<sqlite::database> file_;
    std::optional<sqlite::queue> queue_;
};

}  // namespace flashsale::test
