#include <boost/asio/post.hpp>

#include <flashsale/base/must_hold.hpp>
#include <flashsale/sql.hpp>
#include <flashsale/sqlite.hpp>

#include "sqlite_table.hpp"

namespace flashsale::sql {

namespace {

struct binder {
    sqlite::query& out;
    timestamp now;
    std::size_t place;  // of the arrays

    void operator()(std::optional<std::int64_t> value) { out.integer(value); }
    void operator()(const std::optional<std::string>& value) { out.text(value); }
    void operator()(const uuid& value) { out.uuid(value); }
    void operator()(std::optional<timestamp> value) { out.time(value); }
    void operator()(bool value) { out.integer(value ? 1 : 0); }
    void operator()(const std::vector<std::int64_t>& values) { out.integer(values[place]); }
    void operator()(const std::vector<uuid>& values) { out.uuid(values[place]); }
    void operator()(const std::vector<std::string>& values) { out.text(values[place]); }
    void operator()(parameters::clock) { out.time(now); }
};

/// How often the texts run: once for each place of the arrays, and once without any.
std::size_t runs_of(const parameters& with) {
    std::optional<std::size_t> places;
    const auto note = [&](std::size_t size) {
        must_hold(!places || *places == size, "all arrays of a statement have one length");
        places = size;
    };
    for (const auto& value : with.all()) {
        if (const auto* numbers = std::get_if<std::vector<std::int64_t>>(&value))
            note(numbers->size());
        if (const auto* ids = std::get_if<std::vector<uuid>>(&value)) note(ids->size());
        if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) note(texts->size());
    }
    return places.value_or(1);
}

std::expected<void, sqlite::error> run_text(sqlite::database& in,
                                            const statement::sqlite_text& text,
                                            const parameters& with, timestamp now,
                                            std::size_t place, sqlite_table& into) {
    auto query = in.prepare(sqlite::statement::of_literal(text.sql));
    const auto used = static_cast<std::size_t>(text.parameters);
    must_hold(used <= with.all().size(), "each parameter of a statement has a value");
    binder bind{query, now, place};
    for (const auto& value : with.all().first(used))
        std::visit(bind, value);
    while (true) {
        const auto more = query.step();
        if (!more) return std::unexpected(more.error());
        if (!*more) return {};
        into.add_row(query);
    }
}

error::kind kind_of(sqlite::error::kind what) {
    using enum sqlite::error::kind;
    switch (what) {
        case unavailable:
            return error::kind::unavailable;
        case overloaded:
            return error::kind::overloaded;
        case busy:
        case full:
        case io:
            return error::kind::transient;
        case unique_violation:
            return error::kind::unique_violation;
        case data:
            return error::kind::data;
        case corrupt:
        case other:
            break;
    }
    return error::kind::other;
}

/// Runs all texts of the statement, once for each place of its arrays. Inside a transaction: after
/// an error some of it may have happened.
std::expected<void, sqlite::error> run(sqlite::database& in, const statement& what,
                                       const parameters& with, sqlite_table& into) {
    const timestamp now = wall_clock_now();
    const std::size_t runs = runs_of(with);
    for (std::size_t place = 0; place < runs; ++place) {
        for (const auto& text : what.of_sqlite()) {
            auto done = run_text(in, text, with, now, place, into);
            if (!done) return done;
        }
    }
    return {};
}

sqlite::access access_of(const statement& what) {
    return what.how() == access::read ? sqlite::access::read : sqlite::access::write;
}

error of_sqlite(sqlite::error what) {
    return {kind_of(what.what), std::move(what.message)};
}

class queue_executor final : public executor {
public:
    queue_executor(sqlite::queue& database, asio::io_context& io) : database_(database), io_(io) {}

    void submit(const statement& what, parameters with, callback<result> done) override {
        if (what.of_sqlite().empty()) {
            asio::post(io_, [done = std::move(done)]() mutable { done(rows()); });
            return;
        }
        auto found = std::make_shared<sqlite_table>();
        auto work = [what, with = std::move(with), found](sqlite::database& in) {
            return run(in, what, with, *found);
        };
        database_.submit(
            access_of(what), std::move(work), io_,
            [found, done = std::move(done)](std::expected<void, sqlite::error> ran) mutable {
                if (!ran) return done(std::unexpected(of_sqlite(std::move(ran.error()))));
                done(rows(std::move(found)));
            });
    }

private:
    sqlite::queue& database_;
    asio::io_context& io_;
};

class blocking_session final : public session {
public:
    explicit blocking_session(sqlite::database& database) : database_(database) {}

    result execute(const statement& what, const parameters& with) override {
        if (what.of_sqlite().empty()) return rows();
        auto found = std::make_shared<sqlite_table>();
        const auto body = [&](sqlite::database& in) { return run(in, what, with, *found); };
        auto done = database_.in_transaction() ? database_.attempt(body)
                                               : database_.transaction(access_of(what), body);
        if (!done) return std::unexpected(of_sqlite(std::move(done.error())));
        return rows(std::move(found));
    }

    std::expected<void, error> stream(const statement& what, std::size_t rows_per_piece,
                                      const std::function<void(const rows&)>& each) override {
        if (what.of_sqlite().empty()) return {};
        // One statement, and so one snapshot.
        auto query = database_.prepare(sqlite::statement::of_literal(what.of_sqlite()[0].sql));
        while (true) {
            auto piece = std::make_shared<sqlite_table>();
            while (piece->size() < rows_per_piece) {
                const auto more = query.step();
                if (!more) return std::unexpected(of_sqlite(more.error()));
                if (!*more) {
                    if (piece->size() > 0) each(rows(std::move(piece)));
                    return {};
                }
                piece->add_row(query);
            }
            each(rows(std::move(piece)));
        }
    }

private:
    sqlite::database& database_;
};

}  // namespace

std::unique_ptr<executor> make_executor(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<queue_executor>(database, io);
}

std::unique_ptr<session> make_session(sqlite::database& database) {
    return std::make_unique<blocking_session>(database);
}

}  // namespace flashsale::sql
