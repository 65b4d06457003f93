#include <flashsale/sqlite.hpp>
#include <flashsale/stock/recovery.hpp>

namespace flashsale::stock {

namespace {

// Stock stays what it is: what is taken comes back. Only given grows.
constexpr sqlite::statement take{
    "INSERT INTO movements (id, line, product_id, delta, kind, epoch, seq, created_at)"
    " SELECT ?1, ?7, id, -?3, ?8, ?4, ?5, ?6 FROM products WHERE id = ?2"
    " ON CONFLICT (id, line, back) DO NOTHING"};
constexpr sqlite::statement give{
    "INSERT INTO movements (id, line, back, product_id, delta, kind, created_at)"
    " VALUES (?1, ?5, 1, ?2, ?3, 'drop', ?4)"};
constexpr sqlite::statement raise_supplied{
    "UPDATE products SET supplied = supplied + ?2, version = version + 1 WHERE id = ?1"};
// The version before wrote a reduction without a key, and a restock that names no event.
constexpr sqlite::statement how_moved{
    "SELECT kind = 'drop' OR (kind = 'reduction' AND idempotency_key IS NULL) FROM movements"
    " WHERE id = ?1 AND line = ?2 ORDER BY back DESC LIMIT 1"};

std::expected<given_back, sqlite::error> give_back_in(sqlite::database& in, const movement& taken) {
    const timestamp now = wall_clock_now();
    auto taking = in.prepare(take);
    taking.uuid(taken.id).integer(taken.product_id).integer(-taken.delta);
    taking.integer(static_cast<std::int64_t>(taken.epoch));
    taking.integer(static_cast<std::int64_t>(taken.seq)).time(now).integer(taken.line);
    taking.text(taken.what == operation::sale ? "sale" : "reduction");
    const auto taken_now = taking.run();
    if (!taken_now) return std::unexpected(taken_now.error());
    if (*taken_now == 0) {
        auto known = in.prepare(how_moved);
        const auto found = known.uuid(taken.id).integer(taken.line).step();
        if (!found) return std::unexpected(found.error());
        if (!*found) return given_back::no_product;
        return known.integer_at(0) != 0 ? given_back::before : given_back::sold;
    }
    auto coming_back = in.prepare(give);
    coming_back.uuid(taken.id).integer(taken.product_id).integer(-taken.delta).time(now);
    const auto given = coming_back.integer(taken.line).run();
    if (!given) return std::unexpected(given.error());
    const auto raised =
        in.prepare(raise_supplied).integer(taken.product_id).integer(-taken.delta).run();
    if (!raised) return std::unexpected(raised.error());
    return given_back::now;
}

}  // namespace

std::expected<bool, std::string> is_given_back(sqlite::database& database, const movement& taken) {
    auto known = database.prepare(how_moved);
    const auto found = known.uuid(taken.id).integer(taken.line).step();
    if (!found) return std::unexpected("stock database: " + found.error().message);
    return *found && known.integer_at(0) != 0;
}

std::expected<given_back, std::string> give_back(sqlite::database& database,
                                                 const movement& taken) {
    given_back outcome = given_back::now;
    const auto done = database.transaction(
        sqlite::access::write, [&](sqlite::database& in) -> std::expected<void, sqlite::error> {
            auto made = give_back_in(in, taken);
            if (!made) return std::unexpected(std::move(made.error()));
            outcome = *made;
            return {};
        });
    if (!done) return std::unexpected("stock database: " + done.error().message);
    return outcome;
}

}  // namespace flashsale::stock
