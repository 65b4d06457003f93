#include "record.hpp"

#include <flashsale/user/module.hpp>

#include "compose.hpp"
#include "probe.hpp"

namespace flashsale::app {

stack_record::stack_record(const config& settings, bool fenced)
    : stock_database(postgres_options(settings, settings.postgres.stock_url)),
      order_database(postgres_options(settings, settings.postgres.order_url)),
      ports{.products = stock::make_postgres_record_reader(stock_database),
            .ledger = stock::make_postgres_ledger(stock_database, fenced),
            .orders = order::make_postgres_record_reader(order_database),
            .recording = order::make_postgres_recording(order_database, fenced),
            .parked = order::make_postgres_parked_events(order_database)},
      registry(stock::make_postgres_shard_registry(stock_database)),
      recovery(order::make_postgres_recovery_store(order_database)),
      late(order::make_postgres_late_store(order_database)) {}

void stack_record::must_connect(const config& settings) {
    require_session(stock_database, "stock", "postgres.stock_url", settings.postgres.stock_url);
    require_session(order_database, "order", "postgres.order_url", settings.postgres.order_url);
}

embedded_record::embedded_record(const config& settings, const data_folder& in)
    : stock_database(open_file(settings, in.stock())),
      order_database(open_file(settings, in.order())),
      ports{.products = stock::make_sqlite_record_reader(stock_database),
            .ledger = stock::make_sqlite_ledger(stock_database),
            .orders = order::make_sqlite_record_reader(order_database),
            .recording = order::make_sqlite_recording(order_database),
            .parked = order::make_sqlite_parked_events(order_database)} {}

namespace {

/// The clerk finds the rows of a thousand orders by their ids, in tables of millions.
postgres::options by_key(const config& settings, const std::string& url) {
    auto out = postgres_options(settings, url);
    out.by_index = true;
    return out;
}

/// One thread does all of the clerk's work: while it waits for the money of one user, whose row may
/// be locked, holds end later.
postgres::options impatient(postgres::options what) {
    what.connect_timeout = std::min(what.connect_timeout, std::chrono::milliseconds{1'000});
    what.statement_timeout = std::min(what.statement_timeout, std::chrono::milliseconds{1'000});
    what.lock_timeout = std::min(what.lock_timeout, std::chrono::milliseconds{250});
    return what;
}

}  // namespace

stack_life::stack_life(const config& settings, bool fenced)
    : user_database(impatient(by_key(settings, settings.postgres.user_url))),
      stock_database(by_key(settings, settings.postgres.stock_url)),
      order_database(by_key(settings, settings.postgres.order_url)),
      ports{.orders = order::make_postgres_life_store(order_database, fenced),
            .recording = order::make_postgres_recording(order_database, fenced),
            .money = order::make_postgres_money_store(order_database),
            .replacements = order::make_postgres_replacement_store(order_database),
            .balances = user::make_postgres_charges(user_database),
            .credits = user::make_postgres_credits(user_database),
            .units = stock::make_postgres_returns(stock_database),
            .sales = order::make_postgres_sale_cancellations(order_database)} {}

embedded_life::embedded_life(const config& settings, const data_folder& in)
    : user_database(open_file(settings, in.user())),
      stock_database(open_file(settings, in.stock())),
      order_database(open_file(settings, in.order())),
      ports{.orders = order::make_sqlite_life_store(order_database),
            .recording = order::make_sqlite_recording(order_database),
            .money = order::make_sqlite_money_store(order_database),
            .replacements = order::make_sqlite_replacement_store(order_database),
            .balances = user::make_sqlite_charges(user_database),
            .credits = user::make_sqlite_credits(user_database),
            .units = stock::make_sqlite_returns(stock_database),
            .sales = order::make_sqlite_sale_cancellations(order_database)} {}

}  // namespace flashsale::app
