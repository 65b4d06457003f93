#include <flashsale/postgres.hpp>
#include <flashsale/stock/recovery.hpp>

namespace flashsale::stock {

namespace {

constexpr std::int64_t rows_per_page = 20'000;

// By id, as every page of the record: an index on the epoch would be paid by each order. The
// row without a seq is the page's last one.
constexpr postgres::statement page_seqs{
    "page_moved_seqs",
    "WITH page AS MATERIALIZED ("
    "  SELECT id, product_id, kind, epoch, seq FROM movements"
    "  WHERE id > $1 AND NOT back"
    "  ORDER BY id LIMIT $2"
    ") SELECT NULL::uuid, seq, kind = 'sale' FROM page"
    "  WHERE epoch = $3 AND product_id % $4 = $5 AND kind IN ('sale', 'reduction')"
    " UNION ALL (SELECT id, NULL, NULL FROM page ORDER BY id DESC LIMIT 1)"};

}  // namespace

std::expected<moved_seqs, std::string> find_moved_seqs(postgres::session& database,
                                                       std::uint32_t shard, std::uint32_t shards,
                                                       std::uint64_t epoch, const breath& breathe) {
    moved_seqs out;
    std::optional<uuid> after = uuid{};
    while (after) {
        postgres::parameters with;
        with.uuid(*after).integer(rows_per_page).integer(static_cast<std::int64_t>(epoch));
        with.integer(shards).integer(shard);
        const auto page = database.execute(page_seqs, with);
        if (!page) return std::unexpected("stock database: " + page.error().message);
        after.reset();
        for (std::size_t row = 0; row < page->size(); ++row) {
            if (!page->is_null(row, 0)) {
                after = page->uuid(row, 0);
                continue;
            }
            auto& kind = page->boolean(row, 2) ? out.sales : out.reductions;
            kind.push_back(static_cast<std::uint64_t>(page->integer(row, 1)));
        }
        if (auto done = breathe(); !done) return std::unexpected(done.error());
    }
    return out;
}

}  // namespace flashsale::stock
