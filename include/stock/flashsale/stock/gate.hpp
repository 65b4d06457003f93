#pragma once

// The port to what decides, atomically, which request gets a unit.

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flashsale/base/async.hpp"
#include "flashsale/base/currency.hpp"
#include "flashsale/base/time.hpp"
#include "flashsale/base/uuid.hpp"

namespace flashsale::stock {

/// Why units were not had. Above the line nothing was taken, and asking again gives the same answer
/// until something changes; below it, ask again later with the same key.
enum class errc {
    product_not_found,
    sale_not_open,  ///< not yet
    sale_over,
    purchase_limit,
    out_of_stock,
    idempotency_key_reused,  ///< the key was used for another quantity
    too_many_units,          ///< the product's given would pass units_max
    high_traffic,            ///< the database gate's tries are used up: nothing was taken
    // ---
    overloaded,              ///< a named limit is reached: nothing was taken
    reopening,               ///< the gate cannot be trusted: nothing was taken
    dependency_unavailable,  ///< nothing was taken
    outcome_unknown,         ///< units may have been taken: the same key settles it
};

std::string_view name_of(errc code);

/// Why, and what a client can do with it.
struct refusal {
    constexpr refusal(errc why) : code(why) {}
    constexpr refusal(errc why, std::int64_t units) : code(why), left(units) {}

    errc code;
    std::uint32_t opens_in_s = 0;  ///< sale_not_open: by the gate's clock, rounded up
    /// out_of_stock: units of the product; purchase_limit: units the user may still have.
    std::int64_t left = 0;
    timestamp opens_at{};  ///< sale_not_open

    constexpr operator errc() const { return code; }
    friend constexpr bool operator==(const refusal& one, errc other) { return one.code == other; }
};

/// Units of a product, quantity and stock stay below 2^53, where a script's doubles are exact.
inline constexpr std::int64_t units_max = (std::int64_t{1} << 53) - 1;

/// Longest idempotency key, in bytes.
inline constexpr std::size_t idempotency_key_bytes_max = 255;

enum class operation : std::uint8_t {
    sale,  ///< for an order: window, limit and stock decide; the key's scope is (user, product)
    reduction,  ///< by hand: stock alone decides; the key's scope is the product
};

struct reservation {
    operation what = operation::sale;
    std::int64_t product_id = 0;
    std::int64_t user_id = 0;          ///< 0 for a reduction
    std::int64_t quantity = 0;         ///< 1 to units_max
    std::string_view idempotency_key;  ///< the asker's, until the decision is handed over
    uuid id;  ///< of the order or movement that a grant becomes; names its shard
    /// The id's time becomes that of the gate's decision, by the gate's clock; else it is an id
    /// that was decided before, and stays as it is.
    bool dated_by_gate = false;
};

struct grant {
    uuid id;  ///< the first one's, for a repeat
    std::int64_t unit_price = 0;
    bool repeat = false;    ///< the key was granted before
    bool recorded = false;  ///< a repeat whose event is in the databases already
    std::string event;      ///< complete; to be published, unless recorded
    uuid token;             ///< of the gate: under this one alone, by the process that waits for it
    currency_code currency = {};  ///< of unit_price
};

using decision = std::expected<grant, refusal>;

/// What the gate needs to know of a product.
struct gate_product {
    std::int64_t id = 0;
    std::int64_t given = 0;  ///< all units ever given
    std::int64_t price = 0;
    std::optional<std::int64_t> per_user_limit;
    std::optional<timestamp> sale_starts_at;
    std::optional<timestamp> sale_ends_at;
    currency_code currency = {};  ///< of the price; it never changes
};

/// An event that both databases have: its outbox entry may go.
struct settled_event {
    uuid id;
    std::uint32_t shard = 0;
    std::uint64_t generation = 0;
};

/// Used by one thread, that of the io_context it was made for; calls back there, exactly once.
class gate {
public:
    virtual ~gate() = default;

    /// How many reservations go together, how many such batches per shard at a time, and how many
    /// reservations must wait for a batch to go beside another, so that this gate is at its best.
    struct batching_limits {
        std::size_t reservations_max = 1;
        std::size_t batches_in_flight_max = 1;
        std::size_t beside_another_min = 1;
        /// While others are on their way a reservation waits this long for its neighbours, but not
        /// once so many have gathered.
        std::chrono::microseconds gather_max{0};
        std::size_t gathered_enough = 1;
    };
    virtual batching_limits batching() const = 0;

    /// One decision for each reservation, in their order; all of one shard. Several reasons to
    /// refuse: the first of product_not_found, idempotency_key_reused, sale_not_open or sale_over,
    /// purchase_limit, out_of_stock, overloaded, high_traffic.
    virtual void reserve(std::vector<reservation> batch, callback<std::vector<decision>> done) = 0;

    /// Tells the gate what a product was given in all, as the stock database has it. Idempotent.
    virtual void give(std::vector<gate_product> products,
                      callback<std::expected<void, errc>> done) = 0;

    /// Removes outbox entries. Idempotent; an entry that stays is only published once more.
    virtual void settle(std::vector<settled_event> events,
                        callback<std::expected<void, errc>> done) = 0;

    /// Units free now; nullopt where the gate does not know the product.
    virtual void available(
        std::vector<std::int64_t> product_ids,
        callback<std::expected<std::vector<std::optional<std::int64_t>>, errc>> done) = 0;

    /// The complete event of an accepted order that is not recorded yet; nullopt if there is none.
    virtual void find_event(uuid id,
                            callback<std::expected<std::optional<std::string>, errc>> done) = 0;

    /// As find_event(), of many of one shard, in their order. One after the other, unless the gate
    /// knows better.
    using found_events = std::vector<std::optional<std::string>>;
    virtual void find_events(std::uint32_t shard, std::vector<uuid> ids,
                             callback<std::expected<found_events, errc>> done);

    /// Whether an order now has a chance, and why not, for people.
    virtual std::expected<void, std::string> check() const = 0;

    struct backlog {
        std::uint64_t generation = 0;
        std::optional<std::uint64_t> granted;  ///< events under this generation; if it counts them
        std::uint64_t waiting = 0;             ///< of those, events in the outbox
    };
    /// What is granted and not settled, in one atomic step; cheap. errc::dependency_unavailable
    /// where the gate has nothing to say of it.
    virtual void read_backlog(std::uint32_t shard, callback<std::expected<backlog, errc>> done);

    // --- for the audit and the composition ---

    struct levels {
        std::uint64_t generation = 0;
        std::uint64_t seq = 0;
        uuid token;  ///< under which the gate's events are published; uuid{} where one is for ever
        struct product {
            std::int64_t free = 0;
            std::int64_t given = 0;
        };
        std::vector<std::optional<product>> products;  ///< as asked for
    };

    /// Free and given of products of one shard, and the seq at which that was so, in one atomic
    /// step.
    virtual void read_levels(std::uint32_t shard, std::vector<std::int64_t> product_ids,
                             callback<std::expected<levels, errc>> done) = 0;

    struct outbox_page {
        std::vector<std::string> events;
        std::string next_cursor;  ///< empty: this was the last page
        std::uint64_t generation = 0;
        timestamp read_at{};  ///< by the gate's clock, in the same step as the page
    };

    /// Every entry that is there from the first page to the last is seen, perhaps twice.
    virtual void read_outbox(std::uint32_t shard, std::string cursor,
                             callback<std::expected<outbox_page, errc>> done) = 0;

    struct product_page {
        std::vector<std::int64_t> ids;
        std::string next_cursor;  ///< empty: this was the last page
    };

    /// Every product that the gate of this generation has from the first page to the last is seen,
    /// perhaps twice; a call looks at a bounded number of keys, so a page may be empty and not the
    /// last. Lists none where the gate has its products from the record, and dies with the process.
    virtual void list_products(std::uint32_t /*shard*/, std::uint64_t /*generation*/,
                               std::string /*cursor*/,
                               callback<std::expected<product_page, errc>> done) {
        done(product_page{});
    }
};

/// Which shard a product belongs to; the number of shards is fixed for a deployment.
inline std::uint32_t shard_of(std::int64_t product_id, std::uint32_t shards) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(product_id) % shards);
}

}  // namespace flashsale::stock
