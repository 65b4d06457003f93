#pragma once

#include <flashsale/stock/module.hpp>

#include "../module_database.hpp"

namespace flashsale::test {

/// The stock module's record in either database, behind its ports.
struct stock_record {
    /// `shards`: on PostgreSQL; a file has one.
    explicit stock_record(database_kind kind,
                          std::span<const migration> of_sqlite = stock::sqlite_migrations(),
                          std::uint32_t shards = 1)
        : database(kind, sandbox::database::stock, of_sqlite) {
        if (kind == database_kind::postgres) {
            store = stock::make_postgres_store(*database.pool(), shards);
            terms = stock::make_postgres_terms(*database.pool(), shards);
            sales = stock::make_postgres_sales(*database.pool(), shards);
            ledger = stock::make_postgres_ledger(*database.session());
            reader = stock::make_postgres_record_reader(*database.session());
        } else {
            store = stock::make_sqlite_store(*database.queue(), database.io());
            terms = stock::make_sqlite_terms(*database.queue(), database.io());
            sales = stock::make_sqlite_sales(*database.queue(), database.io());
            ledger = stock::make_sqlite_ledger(*database.file());
            reader = stock::make_sqlite_record_reader(*database.file());
        }
    }

    std::int64_t make_product(std::int64_t units, std::optional<std::int64_t> limit = {}) {
        stock::new_product what;
        what.name = "Lamp";
        what.price = 1'999;
        what.stock = units;
        what.per_user_limit = limit;
        what.idempotency_key = "made-" + std::to_string(++made_);
        return database.wait(store->create(std::move(what)))->what.id;
    }

    /// To this version. What was applied.
    std::vector<std::string> migrate() {
        return database.migrate(stock::postgres_migrations(), stock::sqlite_migrations());
    }

    std::int64_t stock_of(std::int64_t product) {
        return database.wait(store->find(product))->stock;
    }

    stock::movement sold(std::int64_t product, std::int64_t quantity) {
        stock::movement out;
        out.id = make_.make();
        out.product_id = product;
        out.delta = -quantity;
        out.epoch = 1;
        out.seq = ++seq_;
        out.created_at = wall_clock_now();
        return out;
    }

    module_database database;
    std::unique_ptr<stock::store> store;
    std::unique_ptr<stock::terms_store> terms;
    std::unique_ptr<stock::sale_store> sales;
    std::unique_ptr<stock::ledger> ledger;
    std::unique_ptr<stock::record_reader> reader;

private:
    uuid_generator make_;
    int made_ = 0;
    std::uint64_t seq_ = 0;
};

}  // namespace flashsale::test
