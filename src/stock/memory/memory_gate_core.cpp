#include "memory_gate_core.hpp"

#include <algorithm>
#include <boost/container_hash/hash.hpp>
#include <charconv>

#include <flashsale/base/must_hold.hpp>

#include "refusals.hpp"
#include "reservation_event.hpp"

namespace flashsale::stock {

namespace {

constexpr std::size_t chunk_bytes = 64 * 1024;
static_assert(idempotency_key_bytes_max <= chunk_bytes);
/// Room made for a product's keys when it is first heard of, so that a rush does not begin by
/// moving the table around. For a few products: every key touches a page of its own in a table
/// that is nearly empty, and a thousand such tables are gigabytes.
constexpr std::int64_t keys_reserved_max = 1 << 16;
constexpr std::int64_t keys_reserved_in_all_max = 4 * keys_reserved_max;

}  // namespace

std::string_view text_arena::keep(std::string_view text) {
    if (text.size() > left_) {
        chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_bytes));
        next_ = chunks_.back().get();
        left_ = chunk_bytes;
    }
    // Not memcpy, which takes no null: before the first text that is not empty there is no chunk.
    std::ranges::copy(text, next_);
    const std::string_view kept(next_, text.size());
    next_ += text.size();
    left_ -= text.size();
    return kept;
}

std::size_t memory_gate_core::key_hash::operator()(const key_ref& key) const noexcept {
    std::size_t seed = static_cast<std::size_t>(key.user_id) * 2 +
                       static_cast<std::size_t>(key.what == operation::reduction);
    boost::hash_combine(seed, key.text);
    return seed;
}

bool memory_gate_core::load(const allocation& taken) {
    const auto found = products_.find(taken.product_id);
    if (found == products_.end()) return false;
    product& of = *found->second;
    const key_ref key{taken.what, taken.user_id, key_texts_.keep(taken.idempotency_key)};
    of.free -= taken.quantity;
    of.keys.try_emplace(key, key_record{taken.order_id, taken.quantity, taken.unit_price, 0});
    if (of.counts_buyers() && taken.what == operation::sale)
        of.count(taken.user_id, taken.quantity);
    return true;
}

void memory_gate_core::open(std::uint64_t epoch) {
    epoch_ = epoch;
}

std::vector<decision> memory_gate_core::reserve(std::span<const reservation> batch, timestamp now) {
    // What an id holds: no order is dated before its sale begins.
    now = std::chrono::floor<std::chrono::milliseconds>(now);
    std::vector<decision> out;
    out.reserve(batch.size());
    for (const reservation& one : batch) {
        if (is_open()) {
            out.push_back(decide(one, now));
        } else {
            out.emplace_back(std::unexpected(errc::rebuilding));
        }
    }
    return out;
}

decision memory_gate_core::decide(const reservation& asked, timestamp now) {
    const auto found = products_.find(asked.product_id);
    if (found == products_.end() || found->second->halted == halt::deleted)
        return std::unexpected(errc::product_not_found);
    product& of = *found->second;

    key_ref key{asked.what, asked.user_id, asked.idempotency_key};
    if (const auto before = of.keys.find(key); before != of.keys.end()) {
        return decide_again(of, before->second, asked);
    }
    const bool limited = of.counts_buyers() && asked.what == operation::sale;
    if (asked.what == operation::sale) {
        if (of.halted != halt::none) return std::unexpected(refusal_of(of.halted));
        if (of.starts && now < *of.starts) return std::unexpected(not_yet(*of.starts, now));
        if (of.ends && now >= *of.ends) return std::unexpected(errc::sale_over);
        if (of.price > asked.unit_price_max)
            return std::unexpected(refusal(errc::price_changed, of.price));
        if (limited) {
            const std::int64_t allowed = of.allowed(asked.user_id);
            if (asked.quantity > allowed) {
                return std::unexpected(
                    refusal(errc::purchase_limit, std::max<std::int64_t>(allowed, 0)));
            }
        }
    }
    if (of.free < asked.quantity) {
        return std::unexpected(refusal(errc::out_of_stock, std::max<std::int64_t>(of.free, 0)));
    }
    if (is_total_too_high(asked, of.price)) return std::unexpected(errc::total_too_high);
    if (outbox_events() >= outbox_max_) return std::unexpected(errc::overloaded);

    grant out;
    out.id = asked.id;
    if (asked.dated_by_gate) out.id.set_time(now);
    out.unit_price = of.price;
    out.currency = of.currency;
    out.payment_window_s = of.payment_window_s;
    must_hold(asked.quantity > 0, "a grant takes units");
    out.event =
        event_of(asked, out.id, {of.price, of.currency, of.payment_window_s, epoch_, ++seq_});
    of.free -= asked.quantity;
    if (limited) of.count(asked.user_id, asked.quantity);
    key.text = key_texts_.keep(key.text);
    of.keys.emplace(key, key_record{out.id, asked.quantity, of.price, seq_});
    outbox_.push_back({out.id, out.event});
    must_hold(outbox_.size() == seq_ - oldest_seq_ + 1, "the outbox has each seq once");
    must_hold(seq_by_id_.emplace(out.id, seq_).second, "an id is granted once");
    return out;
}

decision memory_gate_core::decide_again(const product& of, const key_record& before,
                                        const reservation& asked) const {
    if (before.quantity != asked.quantity) return std::unexpected(errc::idempotency_key_reused);
    grant out;
    out.id = before.id;
    out.unit_price = before.unit_price;
    out.currency = of.currency;
    out.payment_window_s = of.payment_window_s;
    out.repeat = true;
    if (const outbox_entry* entry = waiting(before.seq)) {
        out.event = entry->event;
    } else {
        out.recorded = true;
    }
    return out;
}

const memory_gate_core::outbox_entry* memory_gate_core::waiting(std::uint64_t seq) const {
    if (seq < oldest_seq_ || seq > seq_) return nullptr;
    const outbox_entry& entry = outbox_[seq - oldest_seq_];
    return entry.event.empty() ? nullptr : &entry;
}

std::expected<void, errc> memory_gate_core::give(std::span<const gate_product> products) {
    if (!is_open()) return std::unexpected(errc::rebuilding);
    bool all = true;
    for (const gate_product& one : products)
        all = give_one(one) && all;
    if (!all) return std::unexpected(errc::already_granted);
    return {};
}

std::expected<void, errc> memory_gate_core::take_returns(const returned_units& what) {
    // Terms that come too late are the business of those that asked for them.
    if (auto given = give(what.products); !given && given.error() != errc::already_granted)
        return given;
    for (const buyer_returns& one : what.buyers)
        load(one);
    return {};
}

void memory_gate_core::load(const buyer_returns& buyer) {
    const auto found = products_.find(buyer.product_id);
    if (found == products_.end() || !found->second->counts_buyers()) return;
    std::int64_t& applied = found->second->returned[buyer.user_id];
    const std::int64_t more = buyer.returned - applied;
    if (more <= 0) return;  // a repeat, or one that was overtaken
    applied = buyer.returned;
    found->second->count(buyer.user_id, -more);
}

std::int64_t memory_gate_core::product::allowed(std::int64_t user_id) const {
    const auto left = [user_id](std::int64_t limit_of, const buyer_counts& counts) {
        const auto found = counts.find(user_id);
        return found == counts.end() ? limit_of : limit_of - found->second;
    };
    std::int64_t out = limit ? left(*limit, bought) : units_max;
    if (bought_of_sale) out = std::min(out, left(sale_limit, *bought_of_sale));
    return out;
}

void memory_gate_core::product::count(std::int64_t user_id, std::int64_t units) {
    bought[user_id] += units;
    if (bought_of_sale) (*bought_of_sale)[user_id] += units;
}

bool memory_gate_core::take_terms(product& of, const gate_product& what, bool is_new) {
    if (!is_new) {
        if (what.revision <= of.revision) return true;  // a repeat, or one that was overtaken
        const bool first =
            of.counts_buyers() != what.counts_buyers() || what.halted == halt::deleted;
        if (first && !of.keys.empty()) return false;
    }
    of.revision = what.revision;
    of.price = what.price;
    of.limit = what.per_user_limit;
    of.halted = what.halted;
    of.starts = what.sale_starts_at;
    of.ends = what.sale_ends_at;
    of.sale_limit = what.sale_limit;
    of.bought_of_sale = nullptr;
    if (const std::int64_t sale = what.counting_sale()) {
        auto& counts = bought_of_sales_[sale];
        if (!counts) counts = std::make_unique<buyer_counts>();
        of.bought_of_sale = counts.get();
    }
    return true;
}

bool memory_gate_core::give_one(const gate_product& what) {
    auto& slot = products_[what.id];
    const bool is_new = !slot;
    if (is_new) {
        slot = std::make_unique<product>();
        slot->currency = what.currency;
        slot->payment_window_s = what.payment_window_s;
        const std::int64_t room =
            std::min({what.supplied, keys_reserved_max, keys_reserved_in_all_max - keys_reserved_});
        slot->keys.reserve(static_cast<std::size_t>(room));
        keys_reserved_ += room;
    }
    const bool taken = take_terms(*slot, what, is_new);
    const std::int64_t more = what.supplied - slot->supplied;
    if (more <= 0) return taken;  // a repeat, or one that was overtaken
    slot->supplied = what.supplied;
    slot->free += more;
    return taken;
}

void memory_gate_core::prune(std::span<const recorded_event> events) {
    for (const recorded_event& one : events) {
        const auto found = seq_by_id_.find(one.id);
        // An entry of an earlier epoch went with the process that had it.
        if (found == seq_by_id_.end() || one.epoch != epoch_) continue;
        std::string().swap(outbox_[found->second - oldest_seq_].event);
        seq_by_id_.erase(found);
    }
    while (!outbox_.empty() && outbox_.front().event.empty()) {
        outbox_.pop_front();
        ++oldest_seq_;
    }
}

const memory_gate_core::product* memory_gate_core::find(std::int64_t id) const {
    const auto found = products_.find(id);
    return found == products_.end() ? nullptr : found->second.get();
}

std::expected<std::vector<std::optional<std::int64_t>>, errc> memory_gate_core::available(
    std::span<const std::int64_t> product_ids) const {
    if (!is_open()) return std::unexpected(errc::rebuilding);
    std::vector<std::optional<std::int64_t>> out;
    out.reserve(product_ids.size());
    for (const std::int64_t id : product_ids) {
        const product* of = find(id);
        out.push_back(of ? std::optional(of->free) : std::nullopt);
    }
    return out;
}

std::expected<std::optional<std::string>, errc> memory_gate_core::find_event(const uuid& id) const {
    if (!is_open()) return std::unexpected(errc::rebuilding);
    const auto found = seq_by_id_.find(id);
    if (found == seq_by_id_.end()) return std::nullopt;
    return outbox_[found->second - oldest_seq_].event;
}

std::expected<gate::levels, errc> memory_gate_core::read_levels(
    std::span<const std::int64_t> product_ids) const {
    if (!is_open()) return std::unexpected(errc::rebuilding);
    gate::levels out{epoch_, seq_, {}, {}};
    for (const std::int64_t id : product_ids) {
        const product* of = find(id);
        out.products.push_back(
            of ? std::optional(gate::levels::product{of->free, of->supplied, of->revision})
               : std::nullopt);
    }
    return out;
}

std::expected<gate::outbox_page, errc> memory_gate_core::read_outbox(std::string_view cursor,
                                                                     std::size_t events_max) const {
    if (!is_open()) return std::unexpected(errc::rebuilding);
    std::uint64_t seq = 0;
    std::from_chars(cursor.data(), cursor.data() + cursor.size(), seq);
    gate::outbox_page page;
    page.epoch = epoch_;
    for (seq = std::max(seq, oldest_seq_); seq <= seq_; ++seq) {
        if (page.events.size() == events_max) {
            page.next_cursor = std::to_string(seq);
            break;
        }
        if (const outbox_entry* entry = waiting(seq)) page.events.push_back(entry->event);
    }
    return page;
}

}  // namespace flashsale::stock
