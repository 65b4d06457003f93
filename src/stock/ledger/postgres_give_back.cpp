#include <flashsale/postgres.hpp>
#include <flashsale/stock/recovery.hpp>

namespace flashsale::stock {

namespace {

// Stock stays what it is: what is taken comes back. Only given grows, and the gate is told so.
constexpr postgres::statement take_and_return{
    "take_and_return",
    "WITH taken AS ("
    "  INSERT INTO movements (id, line, product_id, delta, kind, epoch, seq)"
    "  SELECT $1, $6, id, -$3::bigint, $7, $4, $5 FROM products WHERE id = $2"
    "  ON CONFLICT (id, line, back) DO NOTHING RETURNING id, line, product_id"
    "), returned AS ("
    "  INSERT INTO movements (id, line, back, product_id, delta, kind)"
    "  SELECT id, line, true, product_id, $3, 'drop' FROM taken RETURNING product_id"
    ") UPDATE products p SET supplied = p.supplied + $3, version = version + 1"
    " FROM returned r WHERE p.id = r.product_id RETURNING p.id"};
// The version before wrote a reduction without a key, and a restock that names no event.
constexpr postgres::statement how_moved{
    "how_moved",
    "SELECT (SELECT bool_or(kind = 'drop' OR (kind = 'reduction' AND idempotency_key IS NULL))"
    "        FROM movements WHERE id = $1 AND line = $3)"
    " FROM products WHERE id = $2"};

postgres::parameters place_of(const movement& taken) {
    postgres::parameters with;
    with.uuid(taken.id).integer(taken.product_id).integer(taken.line);
    return with;
}

}  // namespace

std::expected<given_back, std::string> give_back(postgres::session& database,
                                                 const movement& taken) {
    postgres::parameters with;
    with.uuid(taken.id).integer(taken.product_id).integer(-taken.delta);
    with.integer(static_cast<std::int64_t>(taken.epoch));
    with.integer(static_cast<std::int64_t>(taken.seq)).integer(taken.line);
    with.text(taken.what == operation::sale ? "sale" : "reduction");
    const auto done = database.execute(take_and_return, with);
    if (!done) return std::unexpected("stock database: " + done.error().message);
    if (!done->empty()) return given_back::now;
    const auto moved = database.execute(how_moved, place_of(taken));
    if (!moved) return std::unexpected("stock database: " + moved.error().message);
    if (moved->empty() || moved->is_null(0, 0)) return given_back::no_product;
    return moved->boolean(0, 0) ? given_back::before : given_back::sold;
}

std::expected<bool, std::string> is_given_back(postgres::session& database, const movement& taken) {
    const auto moved = database.execute(how_moved, place_of(taken));
    if (!moved) return std::unexpected("stock database: " + moved.error().message);
    return !moved->empty() && !moved->is_null(0, 0) && moved->boolean(0, 0);
}

}  // namespace flashsale::stock
