#pragma once

#include <flashsale/order/life.hpp>
#include <flashsale/order/module.hpp>
#include <flashsale/order/money.hpp>
#include <flashsale/order/parked.hpp>
#include <flashsale/order/replacement.hpp>

#include "../module_database.hpp"

namespace flashsale::test {

/// The order module's record in either database, behind its ports.
struct order_record {
    explicit order_record(database_kind kind,
                          std::span<const migration> of_sqlite = order::sqlite_migrations())
        : database(kind, sandbox::database::order, of_sqlite) {
        if (kind == database_kind::postgres) {
            store = order::make_postgres_store(*database.pool());
            owed = order::make_postgres_owed_payments(*database.pool());
            recording = order::make_postgres_recording(*database.session());
            reader = order::make_postgres_record_reader(*database.session());
            set_aside = order::make_postgres_parked_events(*database.session());
            life = order::make_postgres_life_store(*database.session());
            money = order::make_postgres_money_store(*database.session());
            replacements = order::make_postgres_replacement_store(*database.session());
        } else {
            store = order::make_sqlite_store(*database.queue(), database.io());
            owed = order::make_sqlite_owed_payments(*database.queue(), database.io());
            recording = order::make_sqlite_recording(*database.file());
            reader = order::make_sqlite_record_reader(*database.file());
            set_aside = order::make_sqlite_parked_events(*database.file());
            life = order::make_sqlite_life_store(*database.file());
            money = order::make_sqlite_money_store(*database.file());
            replacements = order::make_sqlite_replacement_store(*database.file());
        }
    }

    /// To this version. What was applied.
    std::vector<std::string> migrate() {
        return database.migrate(order::postgres_migrations(), order::sqlite_migrations());
    }

    events::order_accepted accepted(std::int64_t user, std::int64_t product = 3,
                                    std::string key = {}) {
        events::order_accepted out;
        out.id = make.make();
        out.user_id = user;
        out.product_id = product;
        out.quantity = 1;
        out.idempotency_key = key.empty() ? "key-" + out.id.to_string() : std::move(key);
        out.created_at = out.id.time();
        out.unit_price = 999;
        out.epoch = 1;
        out.seq = ++seq_;
        return out;
    }

    /// Everything must be recorded, or set aside.
    order::recording_report must_record(std::span<const events::order_accepted> orders,
                                        std::span<const events::poison> poison = {}) {
        auto done = recording->record(orders, poison);
        if (!done) throw std::runtime_error(done.error());
        return std::move(*done);
    }

    std::map<uuid, order::parked_event> parked() {
        std::map<uuid, order::parked_event> all;
        const auto read =
            reader->for_each_parked([&](order::parked_event one) { all.emplace(one.id, one); });
        if (!read) throw std::runtime_error(read.error());
        return all;
    }

    std::map<uuid, stock::allocation> orders() {
        std::map<uuid, stock::allocation> all;
        const auto read = reader->for_each_order(
            [&](stock::allocation one) { all.emplace(one.order_id, std::move(one)); });
        if (!read) throw std::runtime_error(read.error());
        return all;
    }

    module_database database;
    std::unique_ptr<order::store> store;
    std::unique_ptr<order::owed_payments> owed;
    std::unique_ptr<order::recording> recording;
    std::unique_ptr<order::record_reader> reader;
    std::unique_ptr<order::parked_events> set_aside;
    std::unique_ptr<order::life_store> life;
    std::unique_ptr<order::money_store> money;
    std::unique_ptr<order::replacement_store> replacements;
    uuid_generator make;

private:
    std::uint64_t seq_ = 0;
};

}  // namespace flashsale::test
