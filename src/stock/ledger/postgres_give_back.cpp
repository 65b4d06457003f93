#include <flashsale/postgres.hpp>
#include <flashsale/stock/recovery.hpp>

namespace flashsale::stock {

namespace {

// Stock stays what it is: what is taken is given again. Only given grows, and the gate is told so.
constexpr postgres::statement take_and_give{
    "take_and_give",
    "WITH taken AS ("
    "  INSERT INTO movements (id, line, product_id, delta, kind, generation, seq)"
    "  SELECT $1, $6, id, -$3::bigint, 'reduction', $4, $5 FROM products WHERE id = $2"
    "  ON CONFLICT (id, line, back) DO NOTHING RETURNING product_id"
    "), given AS ("
    "  INSERT INTO movements (id, product_id, delta, kind)"
    "  SELECT gen_random_uuid(), product_id, $3, 'restock' FROM taken RETURNING product_id"
    ") UPDATE products p SET given = p.given + $3, version = version + 1"
    " FROM given g WHERE p.id = g.product_id RETURNING p.id"};
constexpr postgres::statement kind_of_movement{
    "kind_of_movement",
    "SELECT (SELECT kind = 'reduction' AND idempotency_key IS NULL FROM movements"
    "        WHERE id = $1 AND line = $3 AND NOT back)"
    " FROM products WHERE id = $2"};

}  // namespace

std::expected<given_back, std::string> give_back(postgres::session& database,
                                                 const movement& taken) {
    postgres::parameters with;
    with.uuid(taken.id).integer(taken.product_id).integer(-taken.delta);
    with.integer(static_cast<std::int64_t>(taken.generation));
    with.integer(static_cast<std::int64_t>(taken.seq)).integer(taken.line);
    const auto done = database.execute(take_and_give, with);
    if (!done) return std::unexpected("stock database: " + done.error().message);
    if (!done->empty()) return given_back::now;
    const auto kind = database.execute(
        kind_of_movement,
        postgres::parameters().uuid(taken.id).integer(taken.product_id).integer(taken.line));
    if (!kind) return std::unexpected("stock database: " + kind.error().message);
    if (kind->empty()) return given_back::no_product;
    return kind->is_null(0, 0)   ? given_back::no_product
           : kind->boolean(0, 0) ? given_back::before
                                 : given_back::sold;
}

std::expected<bool, std::string> is_given_back(postgres::session& database, const movement& taken) {
    const auto kind = database.execute(
        kind_of_movement,
        postgres::parameters().uuid(taken.id).integer(taken.product_id).integer(taken.line));
    if (!kind) return std::unexpected("stock database: " + kind.error().message);
    return !kind->empty() && !kind->is_null(0, 0) && kind->boolean(0, 0);
}

}  // namespace flashsale::stock
