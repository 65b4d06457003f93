#include <flashsale/sqlite.hpp>
#include <flashsale/stock/store.hpp>

#include "store_rules.hpp"

namespace flashsale::stock {

namespace {

using sqlite::access;

#define PRODUCT_COLUMNS                                                                        \
    "id, name, price, given, stock, per_user_limit, sale_starts_at, sale_ends_at, created_at," \
    " coalesce(currency, '')"

constexpr sqlite::statement insert_product{
    "INSERT INTO products (name, price, given, stock, per_user_limit, sale_starts_at, sale_ends_at,"
    "                      idempotency_key, created_at, currency)"
    " SELECT ?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, nullif(?9, '') WHERE ?6 IS NULL OR ?6 > ?8"
    " ON CONFLICT (idempotency_key) DO NOTHING"
    " RETURNING " PRODUCT_COLUMNS};
constexpr sqlite::statement insert_initial{
    "INSERT INTO movements (id, product_id, delta, kind, created_at)"
    " VALUES (?1, ?2, ?3, 'initial', ?4)"};
constexpr sqlite::statement find_product_by_key{"SELECT " PRODUCT_COLUMNS
                                                " FROM products WHERE idempotency_key = ?1"};
constexpr sqlite::statement find_initial{
    "SELECT delta FROM movements WHERE product_id = ?1 AND kind = 'initial'"};
constexpr sqlite::statement find_product{"SELECT " PRODUCT_COLUMNS " FROM products WHERE id = ?1"};
constexpr sqlite::statement list_products{"SELECT " PRODUCT_COLUMNS
                                          " FROM products WHERE id > ?1 ORDER BY id LIMIT ?2"};
constexpr sqlite::statement insert_restock{
    "INSERT INTO movements (id, product_id, delta, kind, idempotency_key, created_at)"
    " SELECT ?2, id, ?3, 'restock', ?4, ?5 FROM products WHERE id = ?1"
    " ON CONFLICT (product_id, kind, idempotency_key) WHERE idempotency_key IS NOT NULL DO "
    "NOTHING"};
constexpr sqlite::statement add_units{
    "UPDATE products SET given = given + ?2, stock = stock + ?2, version = version + 1"
    " WHERE id = ?1 RETURNING " PRODUCT_COLUMNS};
constexpr sqlite::statement find_restock{
    "SELECT id, delta, created_at FROM movements"
    " WHERE product_id = ?1 AND kind = 'restock' AND idempotency_key = ?2"};

errc errc_of(const sqlite::error& error) {
    return error.what == sqlite::error::kind::overloaded ? errc::overloaded
                                                         : errc::dependency_unavailable;
}

product product_of(const sqlite::query& row) {
    product out;
    out.id = row.integer_at(0);
    out.name = row.text_at(1);
    out.price = row.integer_at(2);
    out.given = row.integer_at(3);
    out.stock = row.integer_at(4);
    out.per_user_limit = row.optional_integer_at(5);
    out.sale_starts_at = row.optional_time_at(6);
    out.sale_ends_at = row.optional_time_at(7);
    out.created_at = row.time_at(8);
    out.currency = currency_code::of_record(row.text_at(9));
    return out;
}

template <class T>
using answer = std::expected<T, sqlite::error>;

answer<std::optional<product>> read_product(sqlite::query row) {
    const auto found = row.step();
    if (!found) return std::unexpected(found.error());
    if (!*found) return std::optional<product>{};
    return product_of(row);
}

using creation = std::expected<store::created, errc>;
using restocking = std::expected<restocked, errc>;

answer<creation> create_in(sqlite::database& in, const new_product& what, const uuid& movement) {
    const timestamp now = wall_clock_now();
    auto insert = in.prepare(insert_product);
    insert.text(what.name).integer(what.price).integer(what.stock).integer(what.per_user_limit);
    insert.time(what.sale_starts_at).time(what.sale_ends_at).text(what.idempotency_key).time(now);
    insert.text(what.currency.text());
    auto made = read_product(std::move(insert));
    if (!made) return std::unexpected(made.error());
    if (*made) {
        auto first = in.prepare(insert_initial);
        const auto moved =
            first.uuid(movement).integer((*made)->id).integer(what.stock).time(now).run();
        if (!moved) return std::unexpected(moved.error());
        return store::created{std::move(**made), what.stock, false};
    }

    auto find = in.prepare(find_product_by_key);
    find.text(what.idempotency_key);
    auto known = read_product(std::move(find));
    if (!known) return std::unexpected(known.error());
    if (!*known)
        return creation(
            std::unexpected(what.sale_ends_at ? errc::sale_over : errc::outcome_unknown));
    auto initial = in.prepare(find_initial);
    const auto moved = initial.integer((*known)->id).step();
    if (!moved) return std::unexpected(moved.error());
    store::created first{std::move(**known), *moved ? initial.integer_at(0) : 0, true};
    if (!is_the_same(first, what)) return creation(std::unexpected(errc::idempotency_key_reused));
    return first;
}

answer<restocking> restock_in(sqlite::database& in, std::int64_t id, std::int64_t quantity,
                              const std::string& key, const uuid& movement) {
    const timestamp now = wall_clock_now();
    auto insert = in.prepare(insert_restock);
    const auto inserted =
        insert.integer(id).uuid(movement).integer(quantity).text(key).time(now).run();
    if (!inserted) return std::unexpected(inserted.error());
    if (*inserted == 1) {
        auto add = in.prepare(add_units);
        add.integer(id).integer(quantity);
        const auto changed = read_product(std::move(add));
        if (!changed) return std::unexpected(changed.error());
        return restocked{movement, now, units_of(changed->value()), false};
    }

    auto find = in.prepare(find_product);
    find.integer(id);
    const auto known = read_product(std::move(find));
    if (!known) return std::unexpected(known.error());
    if (!*known) return restocking(std::unexpected(errc::product_not_found));
    auto first = in.prepare(find_restock);
    const auto moved = first.integer(id).text(key).step();
    if (!moved) return std::unexpected(moved.error());
    if (!*moved) return restocking(std::unexpected(errc::outcome_unknown));
    if (first.integer_at(1) != quantity) {
        return restocking(std::unexpected(errc::idempotency_key_reused));
    }
    return restocked{first.uuid_at(0), first.time_at(2), units_of(**known), true};
}

class sqlite_store final : public store {
public:
    sqlite_store(sqlite::queue& database, asio::io_context& io) : database_(database), io_(io) {}

    result<created> create(new_product what) override {
        auto made = co_await database_.execute<creation>(
            access::write, io_,
            [what = std::move(what), movement = ids_.make()](sqlite::database& in) {
                return create_in(in, what, movement);
            });
        if (!made) co_return std::unexpected(errc_of(made.error()));
        co_return std::move(*made);
    }

    result<product> find(std::int64_t id) override {
        auto found = co_await database_.execute<std::optional<product>>(
            access::read, io_, [id](sqlite::database& in) {
                auto row = in.prepare(find_product);
                row.integer(id);
                return read_product(std::move(row));
            });
        if (!found) co_return std::unexpected(errc_of(found.error()));
        if (!*found) co_return std::unexpected(errc::product_not_found);
        co_return std::move(**found);
    }

    result<std::vector<product>> list(std::int64_t after, std::int64_t limit) override {
        auto found = co_await database_.execute<std::vector<product>>(
            access::read, io_,
            [after, limit](sqlite::database& in) -> answer<std::vector<product>> {
                auto row = in.prepare(list_products);
                row.integer(after).integer(limit);
                std::vector<product> out;
                while (true) {
                    const auto more = row.step();
                    if (!more) return std::unexpected(more.error());
                    if (!*more) return out;
                    out.push_back(product_of(row));
                }
            });
        if (!found) co_return std::unexpected(errc_of(found.error()));
        co_return std::move(*found);
    }

    result<restocked> restock(std::int64_t id, std::int64_t quantity, std::string key,
                              uuid movement) override {
        auto moved = co_await database_.execute<restocking>(
            access::write, io_,
            [id, quantity, key = std::move(key), movement](sqlite::database& in) {
                return restock_in(in, id, quantity, key, movement);
            });
        if (!moved && moved.error().what == sqlite::error::kind::data) {
            co_return std::unexpected(errc::too_many_units);
        }
        if (!moved) co_return std::unexpected(errc_of(moved.error()));
        co_return std::move(*moved);
    }

private:
    sqlite::queue& database_;
    asio::io_context& io_;
    uuid_generator ids_;
};

}  // namespace

std::unique_ptr<store> make_sqlite_store(sqlite::queue& database, asio::io_context& io) {
    return std::make_unique<sqlite_store>(database, io);
}

}  // namespace flashsale::stock
