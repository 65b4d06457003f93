#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>

#include <flashsale/order/recovery.hpp>
#include <flashsale/postgres.hpp>

#include "late_event.hpp"
#include "metrics.hpp"

namespace flashsale::order {

namespace {

constexpr postgres::statement find_barrier{"find_barrier", "SELECT FROM barriers WHERE id = $1"};
constexpr postgres::statement find_known{
    "find_known_events",
    "SELECT id FROM orders WHERE id = ANY($1::uuid[])"
    " UNION SELECT event_id FROM parked WHERE event_id = ANY($1::uuid[])"
    " UNION SELECT event_id FROM late WHERE event_id = ANY($1::uuid[])"};
constexpr std::string_view lock_fences = "LOCK TABLE fences IN ACCESS EXCLUSIVE MODE";
constexpr postgres::statement set_fence{
    "set_fence",
    "INSERT INTO fences AS f (shard, generation) VALUES ($1, $2) ON CONFLICT (shard)"
    " DO UPDATE SET generation = greatest(f.generation, excluded.generation)"};
constexpr postgres::statement note_fence{
    "note_fence",
    "INSERT INTO raised_fences (shard, generation, begun_at) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING"};
constexpr postgres::statement page_late{
    "page_late",
    "SELECT event_id, event FROM late WHERE shard = $1 AND event_id > $2"
    " ORDER BY event_id LIMIT $3"};
constexpr postgres::statement forget_late{"forget_late",
                                          "DELETE FROM late WHERE event_id = ANY($1::uuid[])"};
constexpr postgres::statement park_late{
    "park_late",
    "WITH gone AS (DELETE FROM late WHERE event_id = $1 RETURNING event_id, event, published_at)"
    " INSERT INTO parked (event_id, event, reason, holds_units, refused_late, published_at)"
    " SELECT event_id, event, $2, false, true, published_at FROM gone ON CONFLICT DO NOTHING"};

std::unexpected<std::string> fault_of(const postgres::result& failed) {
    return std::unexpected("order database: " + failed.error().message);
}

struct late_page {
    std::vector<stock::allocation> rows;
    std::optional<uuid> next;
};

std::expected<late_page, std::string> late_events(postgres::session& database, std::uint32_t shard,
                                                  const uuid& after, std::size_t events_max) {
    postgres::parameters with;
    with.integer(shard).uuid(after).integer(static_cast<std::int64_t>(events_max));
    const auto found = database.execute(page_late, with);
    if (!found) return fault_of(found);
    late_page out;
    for (std::size_t row = 0; row < found->size(); ++row) {
        const auto event = events::parse(found->text(row, 1));
        if (!event)
            spdlog::error("late event {}: {}", found->uuid(row, 0).to_string(), event.error());
        auto taken = event ? allocation_of(*event) : std::nullopt;
        if (taken) out.rows.push_back(std::move(*taken));
    }
    if (found->size() == events_max) out.next = found->uuid(events_max - 1, 0);
    return out;
}

/// In batches that the gate takes.
std::vector<stock::decision> ask(asio::io_context& io, stock::gate_decisions& gate,
                                 const std::vector<stock::allocation>& late) {
    std::vector<stock::decision> all;
    const std::size_t batch_max = gate.batching().reservations_max;
    while (all.size() < late.size()) {
        std::vector<stock::reservation> batch;
        for (std::size_t i = all.size(); i < late.size() && batch.size() < batch_max; ++i)
            batch.push_back(reservation_of(late[i]));
        std::optional<std::vector<stock::decision>> answers;
        gate.reserve(std::move(batch), [&answers](std::vector<stock::decision> decisions) {
            answers = std::move(decisions);
        });
        io.restart();
        while (!answers)
            io.run_one();
        std::ranges::move(*answers, std::back_inserter(all));
    }
    return all;
}

}  // namespace

std::expected<bool, std::string> barrier_recorded(postgres::session& database,
                                                  const uuid& barrier) {
    const auto found = database.execute(find_barrier, postgres::parameters().uuid(barrier));
    if (!found) return fault_of(found);
    return !found->empty();
}

std::expected<std::vector<uuid>, std::string> known_events(postgres::session& database,
                                                           std::span<const uuid> ids) {
    const auto found = database.execute(find_known, postgres::parameters().uuids(ids));
    if (!found) return fault_of(found);
    std::vector<uuid> out;
    out.reserve(found->size());
    for (std::size_t row = 0; row < found->size(); ++row)
        out.push_back(found->uuid(row, 0));
    return out;
}

std::expected<void, std::string> raise_fence(postgres::session& database, std::uint32_t shard,
                                             std::uint64_t generation, timestamp begun_at) {
    const auto done =
        database.transaction([&](postgres::session& in) -> std::expected<void, postgres::error> {
            if (auto locked = in.execute(lock_fences); !locked)
                return std::unexpected(locked.error());
            postgres::parameters with;
            with.integer(shard).integer(static_cast<std::int64_t>(generation));
            if (auto set = in.execute(set_fence, with); !set) return std::unexpected(set.error());
            with.time(begun_at);
            if (auto set = in.execute(note_fence, with); !set) return std::unexpected(set.error());
            return {};
        });
    if (!done) return std::unexpected("order database: " + done.error().message);
    return {};
}

std::expected<late_report, std::string> ask_again(postgres::session& database, asio::io_context& io,
                                                  stock::gate_decisions& gate, std::uint32_t shard,
                                                  const uuid& after, std::size_t events_max) {
    const auto page = late_events(database, shard, after, events_max);
    if (!page) return std::unexpected(page.error());
    const std::vector<stock::allocation>& late = page->rows;
    late_report report;
    report.asked = late.size();
    report.next = page->next;
    if (late.empty()) return report;

    auto answers = ask(io, gate, late);
    std::vector<uuid> settled;
    for (std::size_t i = 0; i < late.size(); ++i) {
        const uuid& id = late[i].order_id;
        switch (outcome_of(id, answers[i])) {
            case late_outcome::recorded:
            case late_outcome::twin:
                settled.push_back(id);
                break;
            case late_outcome::on_its_way:
                // A repeat's event was in the outbox before, and the sweep sees to that.
                // So will it to that of another gate than the first one's.
                if (answers[i]->repeat) break;
                if (report.to_publish.empty()) report.token = answers[i]->token;
                if (answers[i]->token == report.token)
                    report.to_publish.push_back(std::move(answers[i]->event));
                break;
            case late_outcome::refused: {
                const std::string reason = "the gate of a later generation refuses it: " +
                                           std::string(stock::name_of(answers[i].error()));
                const auto parked =
                    database.execute(park_late, postgres::parameters().uuid(id).text(reason));
                if (!parked) return fault_of(parked);
                metrics::parked.add();
                ++report.refused;
                spdlog::error("event {} is parked: {}", id.to_string(), reason);
                break;
            }
            case late_outcome::not_yet:
                break;
        }
    }
    if (!settled.empty()) {
        const auto gone = database.execute(forget_late, postgres::parameters().uuids(settled));
        if (!gone) return fault_of(gone);
    }
    report.settled = settled.size();
    return report;
}

}  // namespace flashsale::order
