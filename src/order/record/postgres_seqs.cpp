#include <flashsale/order/recovery.hpp>
#include <flashsale/postgres.hpp>
#include <flashsale/stock/shard_of.hpp>

namespace flashsale::order {

namespace {

constexpr std::int64_t rows_per_page = 20'000;

// By id, as every page of the record: an index on the epoch would be paid by each order. The
// row without a seq is the page's last one.
constexpr postgres::statement page_seqs{
    "page_known_seqs",
    "WITH page AS MATERIALIZED ("
    "  SELECT id, product_id, epoch, seq FROM orders WHERE id > $1 ORDER BY id LIMIT $2"
    ") SELECT NULL::uuid, seq FROM page WHERE epoch = $3 AND product_id % $4 = $5"
    " UNION ALL (SELECT id, NULL FROM page ORDER BY id DESC LIMIT 1)"};
constexpr std::string_view all_set_aside =
    "SELECT event FROM parked UNION ALL SELECT event FROM late";

}  // namespace

std::expected<known_seqs, std::string> find_known_seqs(
    postgres::session& database, std::uint32_t shard, std::uint32_t shards, std::uint64_t epoch,
    const std::function<std::expected<void, std::string>()>& breathe) {
    known_seqs out;
    // Before the orders: what is retried meanwhile is an order first, and then not parked any more.
    const auto read = database.stream(
        all_set_aside, static_cast<std::size_t>(rows_per_page), [&](const postgres::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row) {
                const auto event = events::parse(rows.text(row, 0));
                const auto taken = event ? allocation_of(*event) : std::nullopt;
                if (!taken) {
                    ++out.unreadable;
                } else if (taken->epoch == epoch &&
                           stock::shard_of(taken->product_id, shards) == shard) {
                    out.set_aside.push_back(taken->seq);
                }
            }
        });
    if (!read) return std::unexpected("order database: " + read.error().message);

    std::optional<uuid> after = uuid{};
    while (after) {
        postgres::parameters with;
        with.uuid(*after).integer(rows_per_page).integer(static_cast<std::int64_t>(epoch));
        with.integer(shards).integer(shard);
        const auto page = database.execute(page_seqs, with);
        if (!page) return std::unexpected("order database: " + page.error().message);
        after.reset();
        for (std::size_t row = 0; row < page->size(); ++row) {
            if (page->is_null(row, 0)) {
                out.orders.push_back(static_cast<std::uint64_t>(page->integer(row, 1)));
            } else {
                after = page->uuid(row, 0);
            }
        }
        if (auto done = breathe(); !done) return std::unexpected(done.error());
    }
    return out;
}

}  // namespace flashsale::order
