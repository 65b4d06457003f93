#pragma once

// What the order database says was taken, for the rebuild, which rebuilds a gate from it, and for
// the audit.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"
#include "flashsale/order/life.hpp"
#include "flashsale/stock.hpp"

namespace flashsale::postgres {
class session;
}
namespace flashsale::sqlite {
class database;
}

namespace flashsale::order {

struct parked_event {
    uuid id;
    std::string event;
    std::string reason;
    bool holds_units = true;  ///< at the gate; not so if a gate has refused it
};

/// An event of an older epoch that came behind its shard's fence.
struct late_event {
    uuid id;
    std::string event;
    bool refused = false;  ///< by the newer gate, and parked; else that is still to be asked
    /// Of the last message that brought it, by its publisher's clock, less what was left of the
    /// second; nullopt: not known.
    std::optional<timestamp> published_at;
};

/// A rebuild that came as far as its fence.
struct raised_fence {
    std::uint32_t shard = 0;
    std::uint64_t epoch = 0;
    timestamp begun_at;   ///< by the rebuilding process's clock, before it shuts a gate
    timestamp raised_at;  ///< by the database's
};

/// An order with something still to be done for it: its hold should have ended, it is PAYING, or
/// its units are to be returned.
struct unfinished_order {
    uuid id;
    std::int64_t product_id = 0;
    order_status status = order_status::paying;
    std::chrono::microseconds age{0};  ///< of that, by the database's clock
};

/// Money that the clerk has still to do something with.
struct unfinished_money {
    uuid order_id;
    bool is_refund = false;            ///< to a balance; else a payment from outside
    std::chrono::microseconds age{0};  ///< by the database's clock
};

/// A gate rebuilt from the record has to know each order's key and buyer, and that its units are
/// gone: so for the recorded orders, and for parked events, which keep their units until a person
/// decides. The same id may be in both: it took its units once.
///
/// Blocking; one thread. An error's text is for people. Pages are exact while nothing is recorded,
/// as behind a barrier of a closed gate.
class record_reader {
public:
    virtual ~record_reader() = default;

    template <class Place>
    struct page {
        std::vector<stock::allocation> rows;  ///< ascending by id
        std::optional<Place> next;            ///< `after` of the next page; nullopt: the last one
    };
    using order_page = page<stock::allocation_id>;
    using event_page = page<uuid>;

    /// Orders of the products of one shard (stock::shard_of). From the first page, `after` is the
    /// nil UUID. `rows_max` bounds what is read, so a page may be empty and not the last.
    virtual std::expected<order_page, std::string> orders(std::uint32_t shard, std::uint32_t shards,
                                                          stock::allocation_id after,
                                                          std::size_t rows_max) = 0;

    /// Parked events, orders and reductions, that hold units of such products; `rows_max` of them.
    virtual std::expected<event_page, std::string> parked(std::uint32_t shard, std::uint32_t shards,
                                                          uuid after, std::size_t rows_max) = 0;

    /// Those of the ids that are in one of the two.
    virtual std::expected<std::vector<uuid>, std::string> recorded(std::span<const uuid> ids) = 0;

    // For the audit: all as of one instant.

    virtual std::expected<void, std::string> for_each_order(
        const std::function<void(stock::allocation)>& each) = 0;
    virtual std::expected<std::vector<unfinished_order>, std::string> unfinished() = 0;
    virtual std::expected<void, std::string> for_each_payment(
        const std::function<void(payment)>& each) = 0;
    /// Orders that are PAID or REFUNDED without the one payment that did it, payments that have
    /// succeeded without such an order, and those that differ in buyer or amount.
    virtual std::expected<std::vector<uuid>, std::string> paid_otherwise() = 0;
    virtual std::expected<void, std::string> for_each_refund(
        const std::function<void(refund)>& each) = 0;
    /// Orders with a payment that is to go back, or has, without its one refund of that amount, and
    /// with a refund without such a payment.
    virtual std::expected<std::vector<uuid>, std::string> refunded_otherwise() = 0;
    /// Received and not decided, or to be given back to a balance.
    virtual std::expected<std::vector<unfinished_money>, std::string> money_unfinished() = 0;
    virtual std::expected<void, std::string> for_each_parked(
        const std::function<void(parked_event)>& each) = 0;
    /// The texts of those that an operator dropped.
    virtual std::expected<void, std::string> for_each_dropped(
        const std::function<void(std::string_view event)>& each) = 0;
    /// Ids of events that came behind a newer barrier, and for which the gate is still to be asked.
    virtual std::expected<std::vector<uuid>, std::string> late() = 0;
    /// Those, and those that the newer gate has refused, unless an operator dropped them.
    virtual std::expected<std::vector<late_event>, std::string> late_events() = 0;
    /// Ascending by epoch.
    virtual std::expected<std::vector<raised_fence>, std::string> raised_fences() = 0;
};

std::unique_ptr<record_reader> make_postgres_record_reader(postgres::session& order_database);
std::unique_ptr<record_reader> make_sqlite_record_reader(sqlite::database& order_database);

}  // namespace flashsale::order
