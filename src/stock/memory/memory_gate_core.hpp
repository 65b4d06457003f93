#pragma once

// What lua/reserve.lua and lua/give.lua decide, in memory: the same checks in the same order, with
// the same answers. No I/O, no clock, no thread: the caller has them.
//
// The outbox is a queue by seq, because seqs are dense: an entry is found at its distance from the
// oldest, and the oldest leave first as the recorder prunes them. Recorded and forgotten is only
// the event; the idempotency record stays as long as the product does.
//
// Only a grant puts anything into these tables. So their size is bounded by the stock ever given,
// and a client that searches for keys with one hash value pays a unit for each.

#include <flashsale/stock/memory.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flashsale::stock {

/// Bytes that are never moved and never freed one by one.
class text_arena {
public:
    std::string_view keep(std::string_view text);

private:
    std::vector<std::unique_ptr<char[]>> chunks_;
    std::size_t left_ = 0;
    char* next_ = nullptr;
};

class memory_gate_core {
public:
    explicit memory_gate_core(std::size_t outbox_events_max) : outbox_max_(outbox_events_max) {}

    void load(const gate_product& product) { give_one(product); }
    bool load(const allocation& taken);
    void load(const buyer_returns& buyer);
    void open(std::uint64_t epoch);
    bool is_open() const { return epoch_ != 0; }

    /// One decision for each reservation, in their order.
    std::vector<decision> reserve(std::span<const reservation> batch, timestamp now);

    std::expected<void, errc> give(std::span<const gate_product> products);
    std::expected<void, errc> take_returns(const returned_units& what);
    void prune(std::span<const recorded_event> events);

    std::expected<std::vector<std::optional<std::int64_t>>, errc> available(
        std::span<const std::int64_t> product_ids) const;
    std::expected<std::optional<std::string>, errc> find_event(const uuid& id) const;
    std::expected<gate::levels, errc> read_levels(std::span<const std::int64_t> product_ids) const;
    /// The cursor is a seq in decimal.
    std::expected<gate::outbox_page, errc> read_outbox(std::string_view cursor,
                                                       std::size_t events_max) const;

    std::size_t outbox_events() const { return seq_by_id_.size(); }

private:
    /// Scope of an idempotency key within a product: the user of a sale; a reduction has none.
    struct key_ref {
        operation what;
        std::int64_t user_id;
        std::string_view text;
        bool operator==(const key_ref&) const = default;
    };
    struct key_hash {
        std::size_t operator()(const key_ref& key) const noexcept;
    };
    struct key_record {
        uuid id;
        std::int64_t quantity;
        std::int64_t unit_price;
        std::uint64_t seq;  ///< 0: loaded from the record
    };
    using buyer_counts = boost::unordered_flat_map<std::int64_t, std::int64_t>;
    struct product {
        std::int64_t free = 0, supplied = 0, price = 0;
        std::optional<std::int64_t> limit;
        std::optional<timestamp> starts, ends;
        currency_code currency;
        std::uint32_t payment_window_s = 0;
        std::int64_t revision = 0;
        halt halted = halt::none;
        std::int64_t sale_limit = 0;
        buyer_counts* bought_of_sale = nullptr;  ///< only under a limit over the sale
        boost::unordered_flat_map<key_ref, key_record, key_hash> keys;
        buyer_counts bought;    ///< only under a limit
        buyer_counts returned;  ///< of that, and applied

        bool counts_buyers() const { return limit || bought_of_sale; }
        /// Units that the user may still have.
        std::int64_t allowed(std::int64_t user_id) const;
        void count(std::int64_t user_id, std::int64_t units);
    };
    struct outbox_entry {
        uuid id;
        std::string event;  ///< empty: pruned
    };

    decision decide(const reservation& asked, timestamp now);
    decision decide_again(const product& of, const key_record& before,
                          const reservation& asked) const;
    /// False: its terms came too late; see gate_decisions.hpp.
    bool give_one(const gate_product& product);
    bool take_terms(product& of, const gate_product& what, bool is_new);
    const product* find(std::int64_t id) const;
    const outbox_entry* waiting(std::uint64_t seq) const;

    const std::size_t outbox_max_;
    std::uint64_t epoch_ = 0;  ///< 0: not open
    std::uint64_t seq_ = 0;
    boost::unordered_flat_map<std::int64_t, std::unique_ptr<product>> products_;
    boost::unordered_flat_map<std::int64_t, std::unique_ptr<buyer_counts>> bought_of_sales_;
    std::deque<outbox_entry> outbox_;  ///< seqs oldest_seq_ … seq_
    std::uint64_t oldest_seq_ = 1;
    boost::unordered_flat_map<uuid, std::uint64_t, uuid_hash> seq_by_id_;  ///< unpruned ones
    text_arena key_texts_;
    std::int64_t keys_reserved_ = 0;  ///< over all products, when they were new
};

}  // namespace flashsale::stock
