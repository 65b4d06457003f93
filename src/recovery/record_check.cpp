#include <flashsale/recovery/record_check.hpp>

#include <algorithm>

#include <flashsale/base/fault_points.hpp>

#include "metrics.hpp"

namespace flashsale::recovery {

namespace {

constexpr std::size_t products_per_page = 2'000;

using phase = stock::shard_state::phase;

/// Of the numbers 1 to `last`, how many are in none of the lists.
std::uint64_t missing_of(std::uint64_t last,
                         std::initializer_list<const std::vector<std::uint64_t>*> lists) {
    std::vector<std::uint64_t> there;
    for (const auto* list : lists) {
        std::ranges::copy_if(*list, std::back_inserter(there),
                             [last](std::uint64_t seq) { return seq > 0 && seq <= last; });
    }
    std::ranges::sort(there);
    const auto twice = std::ranges::unique(there);
    there.erase(twice.begin(), twice.end());
    return last - there.size();
}

void append(std::string& to, const std::string& text) {
    to.append(to.empty() ? "" : "; ").append(text);
}

}  // namespace

std::optional<std::string> behind_its_gate(const stock::gate_account& gate,
                                           const recorded_account& record) {
    std::string out;
    const std::uint64_t last = gate.header.seq;
    const std::uint64_t unreadable = gate.unreadable + record.in_orders.unreadable;
    const auto count = [&](const char* database, std::uint64_t missing) {
        if (missing <= unreadable) return;
        append(out, std::string("the ") + database + " database lacks " + std::to_string(missing) +
                        " of the " + std::to_string(last) +
                        " orders and reductions that the gate has granted");
    };
    // Reductions are in the ledger alone; a restored ledger must not be taken for fewer orders.
    count("order", missing_of(last, {&gate.waiting, &record.in_orders.set_aside,
                                     &record.in_orders.orders, &record.in_ledger.reductions}));
    count("stock", missing_of(last, {&gate.waiting, &record.in_orders.set_aside,
                                     &record.in_ledger.sales, &record.in_ledger.reductions}));

    std::size_t unknown = 0, fewer = 0;
    std::int64_t first_unknown = 0, first_fewer = 0;
    for (const auto& [id, supplied] : gate.supplied) {
        const auto known = record.supplied.find(id);
        if (known == record.supplied.end()) {
            if (unknown++ == 0 || id < first_unknown) first_unknown = id;
        } else if (known->second < supplied) {
            if (fewer++ == 0 || id < first_fewer) first_fewer = id;
        }
    }
    if (unknown > 0)
        append(out, "the stock database does not know " + std::to_string(unknown) +
                        " products that the gate sells, the first of them product " +
                        std::to_string(first_unknown));
    if (fewer > 0)
        append(out, "of " + std::to_string(fewer) +
                        " products it has given fewer units than the gate was told, the first of "
                        "them product " +
                        std::to_string(first_fewer));
    return out.empty() ? std::nullopt : std::optional(out);
}

bool older_than_its_gate(const stock::gate_header& gate, const stock::shard_state& known) {
    if (gate.epoch > known.epoch) return true;
    // Only a header that grants nothing is put down before the database says `open`.
    const bool never_open = known.what == phase::never || known.what == phase::opening;
    return never_open && gate.state != "loading";
}

std::string older_text(std::uint32_t shard, std::uint64_t epoch, const stock::shard_state& known) {
    const std::string number = std::to_string(shard);
    return "the gate of shard " + number + " is of epoch " + std::to_string(epoch) +
           ", the stock database knows of " + std::to_string(known.epoch) +
           (known.what == phase::never ? " and no gate" : "") +
           ": it was restored from an older backup, or this process is at another place than "
           "others; nothing is sold. Restore the newer one, or accept what there is: flashsale "
           "rebuild --shard " +
           number + " --accept-record";
}

std::string behind_text(std::uint32_t shard, const std::string& why) {
    const std::string number = std::to_string(shard);
    return "shard " + number + " is shut, because its record is behind its gate, as after a " +
           "restore from an older backup: " + why +
           ". Restore the newer one, or accept what there is: flashsale rebuild --shard " + number +
           " --accept-record";
}

namespace {

std::expected<recorded_account, std::string> read_record(const record_check& uses,
                                                         const stock::gate_account& gate) {
    recorded_account out;
    const std::uint64_t epoch = gate.header.epoch;
    if (gate.header.seq > 0) {
        auto known =
            uses.order_database.find_known_seqs(uses.shard, uses.shards, epoch, uses.breathe);
        if (!known) return std::unexpected(known.error());
        out.in_orders = std::move(*known);
        auto moved = uses.registry.find_moved_seqs(uses.shard, uses.shards, epoch, uses.breathe);
        if (!moved) return std::unexpected(moved.error());
        out.in_ledger = std::move(*moved);
    }
    std::optional<std::int64_t> after = 0;
    while (after && !gate.supplied.empty()) {
        const auto page =
            uses.products.products(uses.shard, uses.shards, *after, products_per_page);
        if (!page) return std::unexpected(page.error());
        for (const auto& one : page->rows)
            out.supplied.emplace(one.units.id, one.units.supplied);
        after = page->next;
    }
    return out;
}

}  // namespace

std::expected<record_verdict, std::string> check_record(const record_check& uses) {
    if (faults::without(faults::guard::record_check)) return record_verdict{};
    const auto gate = uses.gate.read_account(uses.breathe);
    if (!gate) return std::unexpected(gate.error());
    if (!*gate) return record_verdict{};
    record_verdict out;
    out.header = (*gate)->header;
    if (out.header->accepted) return out;
    // A standby may be a little behind.
    if (auto primary = uses.registry.require_primary(); !primary)
        return std::unexpected(primary.error());
    if (auto primary = uses.order_database.require_primary(); !primary)
        return std::unexpected(primary.error());
    const auto sessions = [&] { return uses.registry.sessions() + uses.order_database.sessions(); };
    const std::uint64_t before = sessions();
    const auto known = uses.registry.read(uses.shard);
    if (!known) return std::unexpected(known.error());
    if (older_than_its_gate(*out.header, *known)) {
        out.what = record_verdict::kind::older;
        out.why = older_text(uses.shard, out.header->epoch, *known);
        return out;
    }
    // Another gate was opened since, and this one is not asked any more.
    if (out.header->epoch < known->epoch && known->what == phase::open) return out;
    const auto record = read_record(uses, **gate);
    if (!record) return std::unexpected(record.error());
    if (sessions() != before) return std::unexpected("a session was lost while it was read");
    if (const auto why = behind_its_gate(**gate, *record)) {
        out.what = record_verdict::kind::behind;
        out.why = *why;
    }
    return out;
}

std::expected<record_verdict, std::string> check_and_hold(const record_check& uses, bool* newly) {
    auto found = check_record(uses);
    if (!found || found->what != record_verdict::kind::behind) return found;
    const auto held = uses.gate.hold(found->header->epoch, found->why);
    if (!held) return std::unexpected(held.error());
    if (*held == stock::holding::refused)
        return std::unexpected("the gate was replaced while its record was read");
    const bool now = *held == stock::holding::now;
    if (now) metrics::gates_shut.add();
    if (newly) *newly = now;
    return found;
}

}  // namespace flashsale::recovery
