#include <flashsale/audit/reader.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include <flashsale/base/waiting.hpp>
#include <flashsale/events/event.hpp>
#include <flashsale/order/allocation_of.hpp>

namespace flashsale::audit {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::size_t products_per_read = 500;
constexpr std::size_t users_per_read = 10'000;
/// A restock is in the ledger first and at the gate a round trip later.
constexpr auto restock_patience = 500ms;

void must(const std::expected<void, std::string>& done) {
    if (!done) throw std::runtime_error(done.error());
}

template <class T>
T must_have(std::expected<T, std::string> found) {
    if (!found) throw std::runtime_error(found.error());
    return std::move(*found);
}

void note(stock::allocation one, allocations& in) {
    const stock::allocation_id id = one.id();
    in.try_emplace(id, std::move(one));
}

std::string answer_of(std::uint32_t shard, stock::errc fault) {
    return "shard " + std::to_string(shard) + " answers " + std::string(name_of(fault));
}

}  // namespace

audit_reader::audit_reader(std::unique_ptr<record_view> view,
                           std::chrono::milliseconds start_timeout)
    : start_timeout_(start_timeout), view_(std::move(view)) {}

template <class T>
std::expected<T, stock::errc> audit_reader::ask(
    const std::function<void(callback<std::expected<T, stock::errc>>)>& start) {
    return wait_for<std::expected<T, stock::errc>>(wait_on(io()), start);
}

/// Whether each shard's gate has answered something: one that is closed has.
bool audit_reader::reached() {
    for (std::uint32_t shard = 0; shard < view_->shards(); ++shard) {
        const auto found = ask<stock::gate_levels::levels>(
            [&](auto done) { view_->gate().read_levels(shard, {}, std::move(done)); });
        if (!found && found.error() != stock::errc::rebuilding) return false;
    }
    return true;
}

std::optional<std::string> audit_reader::wait_for_gate() {
    const auto until = steady::now() + (std::exchange(waited_, true) ? 20ms : start_timeout_);
    while (!reached() && steady::now() < until) {
        io().restart();
        io().run_for(10ms);
    }
    const auto state = view_->gate().check();
    return state ? std::nullopt : std::optional(state.error());
}

void audit_reader::read_levels(audit_record& into) {
    std::map<std::uint32_t, std::vector<std::int64_t>> by_shard;
    must(view_->products().for_each_product([&](const stock::recorded_product& one) {
        by_shard[stock::shard_of(one.id, view_->shards())].push_back(one.id);
    }));
    for (const auto& [shard, ids] : by_shard) {
        for (std::size_t begin = 0; begin < ids.size(); begin += products_per_read) {
            const auto end = std::min(begin + products_per_read, ids.size());
            const std::vector<std::int64_t> piece(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                                  ids.begin() + static_cast<std::ptrdiff_t>(end));
            auto found = ask<stock::gate_levels::levels>([&, at = shard](auto done) {
                view_->gate().read_levels(at, piece, std::move(done));
            });
            if (!found) {
                into.gate_fault = answer_of(shard, found.error());
                return;
            }
            for (std::size_t i = 0; i < piece.size(); ++i) {
                gate_level level;
                if (const auto& units = found->products[i]) {
                    level = gate_level{units->free, units->supplied, found->epoch, found->seq};
                }
                into.levels[piece[i]] = level;
            }
        }
    }
}

void audit_reader::read_levels_again(audit_record& into) {
    std::vector<std::int64_t> behind;
    for (const auto& [id, product] : into.products) {
        const auto level = into.levels.find(id);
        if (level == into.levels.end()) continue;
        if (level->second.supplied < product.supplied) behind.push_back(id);
    }
    if (behind.empty()) return;
    io().restart();
    io().run_for(restock_patience);
    for (const std::int64_t id : behind) {
        const std::uint32_t shard = stock::shard_of(id, view_->shards());
        auto found = ask<stock::gate_levels::levels>(
            [&](auto done) { view_->gate().read_levels(shard, {id}, std::move(done)); });
        if (found && found->products[0]) into.supplied_later[id] = found->products[0]->supplied;
    }
}

void audit_reader::read_outbox(audit_record& into) {
    if (into.gate_fault) return;
    for (std::uint32_t shard = 0; shard < view_->shards(); ++shard) {
        std::string cursor;
        do {
            auto page = ask<stock::outbox_pages::outbox_page>(
                [&](auto done) { view_->outbox().read_outbox(shard, cursor, std::move(done)); });
            if (!page) {
                into.gate_fault = "the outbox of shard " + std::to_string(shard) + " answers " +
                                  std::string(name_of(page.error()));
                return;
            }
            for (const std::string& text : page->events) {
                const auto event = events::parse(text);
                if (!event)
                    throw std::runtime_error("an outbox entry is no event: " + event.error());
                if (auto taken = order::allocation_of(*event)) note(std::move(*taken), into.outbox);
            }
            cursor = std::move(page->next_cursor);
        } while (!cursor.empty());
    }
}

void audit_reader::read_ledger(audit_record& into) {
    must(view_->products().for_each_allocation(
        [&](stock::allocation one) { note(std::move(one), into.movements); }));
    must(view_->products().for_each_product(
        [&](stock::recorded_product one) { into.products.insert_or_assign(one.id, one); }));
}

void audit_reader::read_orders(audit_record& into, bool of_movements_only) {
    must(view_->orders().for_each_order([&](stock::allocation one) {
        if (of_movements_only && !into.movements.contains(one.id())) return;
        if (const auto known = into.orders.find(one.id()); known != into.orders.end())
            known->second.ended = one.ended;  // since it was read
        note(std::move(one), into.orders);
    }));
    into.parked.clear();
    must(view_->orders().for_each_parked(
        [&](order::parked_event one) { into.parked.push_back(std::move(one)); }));
    auto late = view_->orders().late_events();
    if (!late) throw std::runtime_error(late.error());
    into.late = std::move(*late);
    auto fences = view_->orders().raised_fences();
    if (!fences) throw std::runtime_error(fences.error());
    into.fences = std::move(*fences);
}

void audit_reader::read_balances(audit_record& into) {
    std::optional<std::int64_t> after = std::numeric_limits<std::int64_t>::min();
    while (after) {
        const auto page = view_->users().balances(*after, users_per_read);
        if (!page) throw std::runtime_error(page.error());
        for (const user::recorded_balance& one : page->rows)
            into.balances.add(one);
        after = page->next;
    }
}

audit_reader::gate_shards audit_reader::read_shards() {
    std::vector<gate_shard> out;
    if (view_->gate_is_database()) return out;
    for (std::uint32_t shard = 0; shard < view_->shards(); ++shard) {
        const auto found = ask<stock::gate_levels::levels>(
            [&](auto done) { view_->gate().read_levels(shard, {}, std::move(done)); });
        if (!found) return std::unexpected(answer_of(shard, found.error()));
        out.push_back({shard, found->epoch, found->seq});
        out.back().recorded = view_->shard(shard);
    }
    return out;
}

void audit_reader::read_listed(audit_record& into) {
    for (gate_shard& one : into.shards) {
        std::string cursor;
        do {
            auto page = ask<stock::gate_levels::product_page>([&](auto done) {
                view_->gate().list_products(one.number, one.epoch, cursor, std::move(done));
            });
            if (!page) {
                into.gate_fault = "the products of shard " + std::to_string(one.number) +
                                  " answer " + std::string(name_of(page.error()));
                return;
            }
            one.products.insert(page->ids.begin(), page->ids.end());
            cursor = std::move(page->next_cursor);
        } while (!cursor.empty());
    }
}

/// Money first, for the payments come before it; what is to be returned after the orders.
void audit_reader::read_charges(life_record& into) {
    must(view_->users().for_each_taken(
        [&](user::taken_charge one) { into.taken.emplace(one.payment_id, one); }));
    must(view_->orders().for_each_payment(
        [&](order::payment one) { into.payments.emplace(one.id, std::move(one)); }));
    std::vector<uuid> later;
    for (const auto& [id, payment] : into.payments) {
        if (was_taken(payment) && !into.taken.contains(id)) later.push_back(id);
    }
    for (const user::taken_charge& one : must_have(view_->users().taken(later)))
        into.taken_later.emplace(one.payment_id, one);
    into.without_entry = must_have(view_->users().without_entry());
    into.broken_books = must_have(view_->users().broken_books());
    into.paid_otherwise = must_have(view_->orders().paid_otherwise());
}

void audit_reader::read_refunds(life_record& into) {
    must(view_->users().for_each_given_back([&](user::given_refund one) {
        std::string id = one.refund_id;
        into.given_back.emplace(std::move(id), std::move(one));
    }));
    must(view_->orders().for_each_refund(
        [&](order::refund one) { into.refunds.emplace(one.id.to_string(), std::move(one)); }));
    std::vector<std::string> later;
    for (const auto& [id, refund] : into.refunds) {
        if (is_given_back(refund) && !into.given_back.contains(id)) later.push_back(id);
    }
    for (user::given_refund& one : must_have(view_->users().given_back(later))) {
        std::string id = one.refund_id;
        into.given_later.emplace(std::move(id), std::move(one));
    }
    into.refunded_otherwise = must_have(view_->orders().refunded_otherwise());
    into.money_unfinished = must_have(view_->orders().money_unfinished());
}

void audit_reader::read_returns(audit_record& into) {
    into.life.unfinished = must_have(view_->orders().unfinished());
    into.life.returned_later = must_have(view_->products().came_back(ended_without_return(into)));
    must(view_->products().for_each_buyer_returns(
        [&](stock::buyer_returns one) { into.life.buyers.push_back(one); }));
}

audit_record audit_reader::read() {
    life_record money;
    read_charges(money);
    read_refunds(money);
    audit_record record = read_sale();
    record.life = std::move(money);
    read_returns(record);
    read_balances(record);
    return record;
}

audit_record audit_reader::read_sale() {
    // A gate that was rebuilt meanwhile counts otherwise than the one that was read.
    for (int tries_left = 5;; --tries_left) {
        (void)wait_for_gate();
        audit_record record = read_once(read_shards());
        if (record.gate_fault || record.gate_is_database) return record;
        const auto after = read_shards();
        const auto equal = [&](auto member) {
            return after && std::ranges::equal(record.shards, *after, {}, member, member);
        };
        const bool same_gate = equal(&gate_shard::epoch);
        record.at_rest = same_gate && equal(&gate_shard::seq) && record.outbox.empty() &&
                         std::ranges::all_of(record.late, &order::late_event::refused);
        if (same_gate) return record;
        if (tries_left > 1) continue;
        record.gate_fault = "it was rebuilt while it was read";
        return record;
    }
}

audit_record audit_reader::read_once(gate_shards shards) {
    audit_record record;
    record.gate_is_database = view_->gate_is_database();
    record.gate_fault = wait_for_gate();
    if (shards) {
        record.shards = std::move(*shards);
    } else if (!record.gate_fault) {
        record.gate_fault = shards.error();
    }
    if (record.gate_is_database) {
        read_orders(record, false);
        read_ledger(record);
        read_outbox(record);
        read_orders(record, true);
        return record;
    }
    if (!record.gate_fault) {
        read_listed(record);
        read_levels(record);
        read_outbox(record);
    }
    read_ledger(record);
    read_orders(record, false);
    if (!record.gate_fault) read_levels_again(record);
    return record;
}

bool audit_reader::wait_for_rest(std::chrono::duration<double> most) {
    const auto until = steady::now() + std::chrono::duration_cast<steady::duration>(most);
    while (true) {
        audit_record record;
        record.gate_fault = wait_for_gate();
        read_outbox(record);
        const auto late = view_->orders().late();
        if (!late) throw std::runtime_error(late.error());
        if (!record.gate_fault && record.outbox.empty() && late->empty()) return true;
        if (steady::now() >= until) return false;
        io().restart();
        io().run_for(50ms);
    }
}

}  // namespace flashsale::audit
