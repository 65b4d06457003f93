#pragma once

// Recovery's ports on the simulated databases: each statement is one step, done or not, its reply
// perhaps lost.

#include <flashsale/order/record.hpp>
#include <flashsale/order/recovery.hpp>
#include <flashsale/stock/record.hpp>
#include <flashsale/stock/shard_registry.hpp>

#include <memory>
#include <utility>

#include "faults.hpp"
#include "process.hpp"

namespace flashsale::model {

/// One session with a database, which is made again when it is lost. For a fiber.
template <class Database>
class asking {
public:
    asking(process& of, Database& database) : of_(of), database_(database) {}

    template <class What>
    auto operator()(What what) -> std::expected<decltype(what()), std::string> {
        using value = decltype(what());
        using reply = std::pair<value, database::session>;
        auto got =
            of_.ask_now<reply>(database_, [&at = database_, number = of_.number, life = of_.life(),
                                           what = std::move(what)]() mutable {
                return reply(what(), at.session_of(number, life));
            });
        reach_on_the_way(of_);
        if (!got) {
            lost_ = true;
            return std::unexpected(std::move(got.error()));
        }
        if (std::exchange(lost_, false) || std::exchange(session_, got->second) != got->second)
            ++made_;
        session_ = got->second;
        return std::move(got->first);
    }

    process& of() const { return of_; }
    Database& database() const { return database_; }
    std::uint64_t made() const { return made_; }

private:
    process& of_;
    Database& database_;
    flashsale::model::database::session session_;
    bool lost_ = false;
    std::uint64_t made_ = 0;
};

using asking_stock = asking<stock_database>;
using asking_orders = asking<order_database>;

std::unique_ptr<stock::shard_registry> make_shard_registry(asking_stock& asks);
std::unique_ptr<stock::record_reader> make_stock_reader(asking_stock& asks);
std::unique_ptr<stock::ledger> make_plain_ledger(asking_stock& asks);
std::unique_ptr<order::recovery_store> make_recovery_store(asking_orders& asks);
std::unique_ptr<order::record_reader> make_order_reader(asking_orders& asks);
std::unique_ptr<order::late_store> make_late_store(asking_orders& asks);

}  // namespace flashsale::model
