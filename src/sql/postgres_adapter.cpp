#include <flashsale/base/must_hold.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/sql.hpp>

#include "table.hpp"

namespace flashsale::sql {

namespace {

class postgres_table final : public table {
public:
    explicit postgres_table(std::shared_ptr<const postgres::rows> found)
        : rows_(std::move(found)) {}

    std::size_t size() const override { return rows_->size(); }
    bool is_null(std::size_t row, std::size_t column) const override {
        return rows_->is_null(row, column);
    }
    std::int64_t integer(std::size_t row, std::size_t column) const override {
        return rows_->integer(row, column);
    }
    std::string_view text(std::size_t row, std::size_t column) const override {
        return rows_->text(row, column);
    }
    flashsale::uuid uuid(std::size_t row, std::size_t column) const override {
        return rows_->uuid(row, column);
    }
    timestamp time(std::size_t row, std::size_t column) const override {
        return rows_->time(row, column);
    }
    bool boolean(std::size_t row, std::size_t column) const override {
        return rows_->boolean(row, column);
    }

private:
    const std::shared_ptr<const postgres::rows> rows_;
};

struct binder {
    postgres::parameters& out;
    bool last = false;

    void operator()(std::optional<std::int64_t> value) { out.integer(value); }
    void operator()(const std::optional<std::string>& value) { out.text(value); }
    void operator()(const uuid& value) { out.uuid(value); }
    void operator()(std::optional<timestamp> value) { out.time(value); }
    void operator()(bool value) { out.boolean(value); }
    void operator()(const std::vector<std::int64_t>& values) { out.integers(values); }
    void operator()(const std::vector<uuid>& values) { out.uuids(values); }
    void operator()(const std::vector<std::string>& values) { out.texts(values); }
    void operator()(parameters::clock) {
        must_hold(last, "the clock is the last parameter: PostgreSQL is not sent it");
    }
};

error::kind kind_of(postgres::error::kind what) {
    using enum postgres::error::kind;
    switch (what) {
        case not_durable:
        case unavailable:
            return error::kind::unavailable;
        case overloaded:
            return error::kind::overloaded;
        case outcome_unknown:
            return error::kind::outcome_unknown;
        case transient:
            return error::kind::transient;
        case unique_violation:
            return error::kind::unique_violation;
        case data:
            return error::kind::data;
        case other:
            break;
    }
    return error::kind::other;
}

error of_postgres(postgres::error what) {
    return {kind_of(what.what), std::move(what.message)};
}

rows rows_of(std::shared_ptr<const postgres::rows> found) {
    return rows(std::make_shared<postgres_table>(std::move(found)));
}

postgres::statement of_postgres(const statement& what) {
    return {what.name(), what.of_postgres()};
}

postgres::parameters of_postgres(const parameters& with) {
    postgres::parameters out;
    binder bind{out};
    for (const auto& value : with.all()) {
        bind.last = &value == &with.all().back();
        std::visit(bind, value);
    }
    return out;
}

result of_postgres(postgres::result done) {
    if (!done) return std::unexpected(of_postgres(std::move(done.error())));
    return rows_of(std::make_shared<postgres::rows>(std::move(*done)));
}

class pool_executor final : public executor {
public:
    explicit pool_executor(postgres::pool& database) : database_(database) {}

    void submit(const statement& what, parameters with, callback<result> done) override {
        database_.execute(of_postgres(what), of_postgres(with),
                          [done = std::move(done)](postgres::result found) mutable {
                              done(of_postgres(std::move(found)));
                          });
    }

private:
    postgres::pool& database_;
};

class blocking_session final : public session {
public:
    explicit blocking_session(postgres::session& database) : database_(database) {}

    result execute(const statement& what, const parameters& with) override {
        return of_postgres(database_.execute(of_postgres(what), of_postgres(with)));
    }

    std::expected<void, error> stream(const statement& what, std::size_t rows_per_piece,
                                      const std::function<void(const rows&)>& each) override {
        const auto piece = [&](const postgres::rows& found) {
            each(rows_of({std::shared_ptr<void>(), &found}));  // the driver's, for this call
        };
        auto done = database_.stream(what.of_postgres(), rows_per_piece, piece);
        if (!done) return std::unexpected(of_postgres(std::move(done.error())));
        return {};
    }

private:
    postgres::session& database_;
};

}  // namespace

std::unique_ptr<executor> make_executor(postgres::pool& database) {
    return std::make_unique<pool_executor>(database);
}

std::unique_ptr<session> make_session(postgres::session& database) {
    return std::make_unique<blocking_session>(database);
}

}  // namespace flashsale::sql
