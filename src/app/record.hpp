#pragma once

// The databases of a configuration, over one blocking connection to each: for one thread, which
// waits for them. Workers have stores of their own (serving.hpp).

#include <flashsale/order/life.hpp>
#include <flashsale/order/money.hpp>
#include <flashsale/order/parked.hpp>
#include <flashsale/order/record.hpp>
#include <flashsale/order/recording.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/order/replacement.hpp>
#include <flashsale/order/sale_cancellations.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/sqlite.hpp>
#include <flashsale/stock.hpp>
#include <flashsale/stock/module.hpp>
#include <flashsale/stock/record.hpp>
#include <flashsale/stock/returns.hpp>
#include <flashsale/stock/shard_registry.hpp>
#include <flashsale/user/charges.hpp>
#include <flashsale/user/credits.hpp>

#include <memory>

#include "data_folder.hpp"

namespace flashsale::app {

/// What every configuration has.
struct record_ports {
    std::unique_ptr<stock::record_reader> products;
    std::unique_ptr<stock::ledger> ledger;
    std::unique_ptr<order::record_reader> orders;
    std::unique_ptr<order::recording> recording;
    std::unique_ptr<order::parked_events> parked;
};

/// What the clerk asks of the three databases.
struct life_ports {
    std::unique_ptr<order::life_store> orders;
    std::unique_ptr<order::recording> recording;
    std::unique_ptr<order::money_store> money;
    std::unique_ptr<order::replacement_store> replacements;
    std::unique_ptr<user::charges> balances;
    std::unique_ptr<user::credits> credits;
    std::unique_ptr<stock::returns> units;
    std::unique_ptr<order::sale_cancellations> sales;
};

struct stack_record {
    /// Connects when it is first asked. `fenced`: what is older than its shard's fence is late, and
    /// not written.
    stack_record(const config& settings, bool fenced);
    stack_record(const stack_record&) = delete;

    /// Throws unavailable_error.
    void must_connect(const config& settings);

    postgres::session stock_database;
    postgres::session order_database;
    record_ports ports;
    // Where a gate outlives its process.
    std::unique_ptr<stock::shard_registry> registry;
    std::unique_ptr<order::recovery_store> recovery;
    std::unique_ptr<order::late_store> late;
};

struct embedded_record {
    /// Opens both files. Throws unavailable_error.
    embedded_record(const config& settings, const data_folder& in);
    embedded_record(const embedded_record&) = delete;

    sqlite::database stock_database;
    sqlite::database order_database;
    record_ports ports;
};

struct stack_life {
    /// Connects when it is first asked. `fenced` as above.
    stack_life(const config& settings, bool fenced);
    stack_life(const stack_life&) = delete;

    postgres::session user_database;
    postgres::session stock_database;
    postgres::session order_database;
    life_ports ports;
};

struct embedded_life {
    /// Opens the three files. Throws unavailable_error.
    embedded_life(const config& settings, const data_folder& in);
    embedded_life(const embedded_life&) = delete;

    sqlite::database user_database;
    sqlite::database stock_database;
    sqlite::database order_database;
    life_ports ports;
};

}  // namespace flashsale::app
