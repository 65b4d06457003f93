// What goes into the gate's scripts; redis_codec.cpp reads what comes out.

#include "redis_codec.hpp"

#include <flashsale/base/json_fields.hpp>
#include <flashsale/stock/shard_of.hpp>

#include <algorithm>

#include "outbox_entry.hpp"

namespace flashsale::stock {

namespace {

constexpr std::size_t uuid_time_characters = 13;  // of a UUID of version 7, in its text

}  // namespace

void argument_list::add(std::string_view text) {
    bytes_.append(text);
    ends_.push_back(bytes_.size());
}

void argument_list::add(std::int64_t number) {
    append_integer(bytes_, number);
    ends_.push_back(bytes_.size());
}

void argument_list::add(std::uint64_t number) {
    append_integer(bytes_, number);
    ends_.push_back(bytes_.size());
}

std::vector<std::string_view> argument_list::views() const {
    std::vector<std::string_view> out;
    out.reserve(ends_.size());
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
        out.emplace_back(bytes_.data() + begin, end - begin);
        begin = end;
    }
    return out;
}

shard_keys::shard_keys(std::string_view prefix, std::uint32_t shard)
    : root("{" + std::string(prefix) + ":" + std::to_string(shard) + "}:") {
    header = root + "gate";
}

std::string shard_keys::outbox(std::uint64_t epoch) const {
    return root + std::to_string(epoch) + ":outbox";
}

argument_list reserve_arguments(const shard_keys& keys, std::uint64_t epoch,
                                std::size_t outbox_events_max, std::span<const reservation> batch,
                                const sold_out_hints* hints) {
    argument_list out;
    out.add(keys.root);
    out.add(epoch);
    out.add(static_cast<std::uint64_t>(outbox_events_max));
    while (!batch.empty()) {
        const reservation& first = batch.front();
        const auto other = std::ranges::find_if(batch, [&](const reservation& one) {
            return one.product_id != first.product_id || one.quantity != first.quantity ||
                   one.what != first.what || one.unit_price_max != first.unit_price_max;
        });
        const auto run = batch.first(static_cast<std::size_t>(other - batch.begin()));
        batch = batch.subspan(run.size());
        const bool sale = first.what == operation::sale;
        const bool bounded = sale && first.unit_price_max != any_price;
        const bool in_short = sale && !bounded && hints != nullptr &&
                              hints->is_likely(first.product_id, first.quantity);
        out.add(first.product_id);
        out.add(first.quantity);
        out.add(static_cast<std::uint64_t>(run.size()));
        if (bounded) {
            out.add(first.unit_price_max);
        } else {
            out.add(in_short ? "turned away" : sale ? "sale" : "reduction");
        }
        for (const reservation& one : run)
            out.add_with([&](std::string& bytes) {
                add_key_field(bytes, one.what, one.user_id, one.idempotency_key);
            });
        if (in_short) continue;
        for (const reservation& one : run)
            out.add_with([&](std::string& bytes) {
                const std::size_t begin = bytes.size();
                one.id.append_to(bytes);
                if (one.dated_by_gate) bytes.erase(begin, uuid_time_characters);
            });
    }
    return out;
}

namespace {

std::string_view word_of(halt why) {
    switch (why) {
        case halt::none:
            break;
        case halt::paused:
            return "paused";
        case halt::ended:
            return "ended";
        case halt::archived:
            return "archived";
        case halt::deleted:
            return "deleted";
    }
    return {};
}

}  // namespace

void add_product(argument_list& to, const gate_product& product) {
    const auto add_time = [&to](const std::optional<timestamp>& time) {
        if (time) {
            to.add(static_cast<std::int64_t>(time->time_since_epoch().count()));
        } else {
            to.add("");
        }
    };
    to.add(product.id);
    to.add(product.supplied);
    to.add(product.revision);
    to.add_with([&](std::string& bytes) {
        append_price(bytes, product.price, product.currency, product.payment_window_s);
    });
    to.add_with([&](std::string& bytes) {
        if (product.per_user_limit) append_integer(bytes, *product.per_user_limit);
        if (product.sale_limit == 0) return;
        if (!product.per_user_limit) bytes.push_back('-');
        bytes.push_back(' ');
        append_integer(bytes, product.sale_id);
        bytes.push_back(' ');
        append_integer(bytes, product.sale_limit);
    });
    if (product.halted == halt::none) {
        add_time(product.sale_starts_at);
    } else {
        to.add(word_of(product.halted));
    }
    add_time(product.sale_ends_at);
}

void add_counted_user(argument_list& to, std::int64_t user, std::int64_t sale) {
    to.add_with([&](std::string& bytes) {
        append_integer(bytes, user);
        if (sale == 0) return;
        bytes.push_back(' ');
        append_integer(bytes, sale);
    });
}

void add_buyer(argument_list& to, const buyer_returns& buyer) {
    to.add(buyer.product_id);
    add_counted_user(to, buyer.user_id, buyer.sale_id);
    to.add(buyer.returned);
}

argument_list give_arguments(const shard_keys& keys, std::uint64_t epoch,
                             const returned_units& units) {
    argument_list out;
    out.add(keys.root);
    out.add(epoch);
    out.add(static_cast<std::uint64_t>(units.products.size()));
    for (const gate_product& product : units.products)
        add_product(out, product);
    for (const buyer_returns& buyer : units.buyers)
        add_buyer(out, buyer);
    return out;
}

std::vector<returned_units> by_shard(returned_units units, std::uint32_t shards) {
    std::vector<returned_units> out(shards);
    for (gate_product& one : units.products)
        out[shard_of(one.id, shards)].products.push_back(std::move(one));
    for (const buyer_returns& one : units.buyers)
        out[shard_of(one.product_id, shards)].buyers.push_back(one);
    std::erase_if(out, [](const returned_units& part) { return part.products.empty(); });
    return out;
}

}  // namespace flashsale::stock
