#pragma once

// What goes into the gate's scripts and what comes out, as bytes; no I/O.

#include <flashsale/redis.hpp>
#include <flashsale/stock/gate.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "outbox_entry.hpp"
#include "sold_out.hpp"

namespace flashsale::stock {

/// A list of arguments in one buffer.
class argument_list {
public:
    void add(std::string_view text);
    void add(std::int64_t number);
    void add(std::uint64_t number);
    /// Adds what `append` appends to the string it is given.
    template <class Append>
    void add_with(Append append) {
        append(bytes_);
        ends_.push_back(bytes_.size());
    }

    /// Valid until the next add.
    std::vector<std::string_view> views() const;

private:
    std::string bytes_;
    std::vector<std::size_t> ends_;
};

/// Names of a shard's keys; all share one hash tag.
struct shard_keys {
    shard_keys(std::string_view prefix, std::uint32_t shard);

    std::string header;  ///< `{flashsale:0}:gate`
    std::string root;    ///< `{flashsale:0}:`, then the epoch and `:p:<product>` and so on

    std::string outbox(std::uint64_t epoch) const;
};

/// A product as give.lua and load.lua read it.
void add_product(argument_list& to, const gate_product& product);
/// A user whose units count, over the products of `sale` too unless it is 0.
void add_counted_user(argument_list& to, std::int64_t user, std::int64_t sale);
void add_buyer(argument_list& to, const buyer_returns& buyer);

/// The batch in runs, as lua/reserve.lua has it; in short form where `hints` are given and say so.
argument_list reserve_arguments(const shard_keys& keys, std::uint64_t epoch,
                                std::size_t outbox_events_max, std::span<const reservation> batch,
                                const sold_out_hints* hints);

argument_list give_arguments(const shard_keys& keys, std::uint64_t epoch,
                             const returned_units& units);
/// What of it belongs to each shard, a product and its buyers together.
std::vector<returned_units> by_shard(returned_units units, std::uint32_t shards);

/// The status every script's reply begins with.
struct script_status {
    enum class kind { open, closed, stale, malformed };
    kind what = kind::malformed;
    std::uint64_t epoch = 0;  ///< the gate's own, if stale
};
script_status status_of(const redis::value& reply);

/// Of a hash's fields and values in turn, as HSCAN gives them, the events in full.
std::vector<std::string> events_of_entries(std::span<const redis::value> fields_and_values);

/// What inspect.lua says of the outbox; nullopt: of another shape.
std::optional<gate::outbox_page> decode_outbox_page(const redis::value& reply);

struct decoded_decisions {
    std::vector<decision> decisions;  ///< in the batch's order
    /// Places in the batch of those that were asked in short form and could be granted in full.
    std::vector<std::size_t> ask_again;
    std::optional<uuid> token;  ///< if anything of it is to be published
};

/// Where inspect.lua says the token, in what it says of the gate as a whole.
inline constexpr std::size_t token_place = 3;
/// Its reply to 'products', for so many; nullopt: of another shape.
std::optional<gate::levels> decode_levels(const redis::value& reply, std::size_t products);

/// What the script that opens gates may answer besides 1 and 0 (lua/open.lua).
inline constexpr std::int64_t another_deployments = -1;
inline constexpr std::int64_t held_gate = -2;
inline constexpr std::int64_t closed_another = 2;

/// Decisions out of an open gate's reply. A reply of another shape makes every decision
/// outcome_unknown: the script ran, and what it did cannot be told.
decoded_decisions decode_decisions(redis::value reply, std::uint64_t epoch,
                                   std::span<const reservation> batch);

/// What inspect.lua says of the gate as a whole, but for its token; nullopt: a reply of another
/// shape.
std::optional<gate::backlog> decode_backlog(const redis::value& reply);

}  // namespace flashsale::stock
