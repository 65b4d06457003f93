#include <flashsale/postgres.hpp>
#include <flashsale/stock/module.hpp>

namespace flashsale::stock {

namespace {

constexpr std::size_t rows_per_piece = 10'000;

std::expected<void, std::string> stream(postgres::session& database, std::string_view sql,
                                        const std::function<void(const postgres::rows&)>& each) {
    auto done = database.stream(sql, rows_per_piece, each);
    if (!done) return std::unexpected("stock database: " + done.error().message);
    return {};
}

}  // namespace

std::expected<void, std::string> for_each_product(
    postgres::session& database, const std::function<void(recorded_product)>& each) {
    return stream(
        database,
        "SELECT p.id, p.given, p.stock, p.per_user_limit,"
        "       coalesce(sum(m.delta), 0)::bigint,"
        "       coalesce(sum(m.delta) FILTER (WHERE m.kind IN ('initial', 'restock')), 0)::bigint,"
        "       coalesce(-sum(m.delta) FILTER (WHERE m.kind = 'sale'), 0)::bigint,"
        "       coalesce(-sum(m.delta) FILTER (WHERE m.kind = 'reduction'), 0)::bigint"
        " FROM products p LEFT JOIN movements m ON m.product_id = p.id GROUP BY p.id ORDER BY p.id",
        [&](const postgres::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row) {
                each({rows.integer(row, 0), rows.integer(row, 1), rows.integer(row, 2),
                      rows.optional_integer(row, 3), rows.integer(row, 4), rows.integer(row, 5),
                      rows.integer(row, 6), rows.integer(row, 7)});
            }
        });
}

std::expected<void, std::string> for_each_taking(postgres::session& database,
                                                 const std::function<void(recorded_taking)>& each) {
    return stream(
        database,
        "SELECT id, product_id, -delta, kind, coalesce(generation, 0), coalesce(seq, 0)"
        " FROM movements WHERE kind IN ('sale', 'reduction')",
        [&](const postgres::rows& rows) {
            for (std::size_t row = 0; row < rows.size(); ++row) {
                each({rows.uuid(row, 0), rows.integer(row, 1), rows.integer(row, 2),
                      rows.text(row, 3) == "sale" ? operation::sale : operation::reduction,
                      static_cast<std::uint64_t>(rows.integer(row, 4)),
                      static_cast<std::uint64_t>(rows.integer(row, 5))});
            }
        });
}

}  // namespace flashsale::stock
