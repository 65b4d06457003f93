#include "gate_world.hpp"

#include <stdexcept>

namespace flashsale::test {

namespace {

postgres::options stock_options(const sandbox& world) {
    postgres::options out;
    out.url = world.url(sandbox::database::stock);
    return out;
}

redis::options redis_options(const sandbox& world) {
    redis::options out;
    const auto found = world.variables().find("FLASHSALE_REDIS__URL");
    out.url =
        found != world.variables().end() ? found->second : std::getenv("FLASHSALE_REDIS__URL");
    return out;
}

constexpr postgres::statement insert_product{
    "test_insert_product",
    "WITH made AS (INSERT INTO products (name, price, supplied, stock, per_user_limit, "
    "sale_starts_at,"
    " sale_ends_at, currency, payment_window_s)"
    "   VALUES ('Lamp', 1999, $1, $1, $2, $3, $4, nullif($5, ''), nullif($6::bigint, 0))"
    " RETURNING id),"
    " moved AS (INSERT INTO movements (id, product_id, delta, kind)"
    "   SELECT gen_random_uuid(), id, $1, 'initial' FROM made) SELECT id FROM made"};

constexpr postgres::statement change_product{
    "test_change_product",
    "UPDATE products SET price = $2, per_user_limit = $3, sale_starts_at = $4, sale_ends_at = $5,"
    " revision = $6, withdrawn = CASE WHEN $7 IN ('archived', 'deleted') THEN $7 END,"
    " sale_state = CASE WHEN $7 IN ('paused', 'ended') THEN $7 END,"
    " sale_id = nullif($8::bigint, 0), sale_limit = nullif($9::bigint, 0), version = version + 1"
    " WHERE id = $1"};
constexpr postgres::statement make_sale{
    "test_make_sale",
    "INSERT INTO sales (id, name) OVERRIDING SYSTEM VALUE VALUES ($1, 'Sale') ON CONFLICT DO "
    "NOTHING"};

std::string_view word_of(stock::halt why) {
    using enum stock::halt;
    return why == paused     ? "paused"
           : why == ended    ? "ended"
           : why == archived ? "archived"
           : why == deleted  ? "deleted"
                             : "";
}

}  // namespace

gate_world::gate_world(adapter kind, std::size_t outbox_events_max,
                       std::function<void(std::int64_t)> before_update)
    : kind_(kind),
      database_(stock_options(sandbox_)),
      pool_(io_, stock_options(sandbox_), {.connections = 4}),
      client_(io_, redis_options(sandbox_)) {
    redis_options_.key_prefix = sandbox_.name();
    redis_options_.outbox_events_max = outbox_events_max;
    database_options_.outbox_events_max = outbox_events_max;
    database_options_.before_update = std::move(before_update);
    pool_.start();
    client_.start();
    for (int i = 0; i < 6'000 && !(client_.ready() && pool_.ready()); ++i) {
        io_.restart();
        io_.run_for(std::chrono::milliseconds{10});
    }
    if (!client_.ready()) throw std::runtime_error("redis: " + client_.fault());
    if (kind == adapter::redis) {
        stock::open_new_shards(wait_on(io_), database_, {&client_}, epochs_, redis_options_,
                               [](const uuid&) { return std::expected<void, std::string>{}; });
    }
    memory_ = std::make_unique<stock::memory_gate_owner>(
        stock::memory_gate_options{.outbox_events_max = outbox_events_max});
    memory_->run_on(io_);
    memory_->open(1);
    if (kind == adapter::memory) epochs_.raise(0, 1);
    gate_ = another();
}

gate_world::~gate_world() {
    client_.stop();
    pool_.stop();
    io_.restart();
    io_.poll();
}

std::unique_ptr<stock::gate> gate_world::another() {
    if (kind_ == adapter::redis) return stock::make_redis_gate({&client_}, epochs_, redis_options_);
    if (kind_ == adapter::memory) return stock::make_memory_gate(*memory_, io_);
    return stock::make_database_gate(pool_, database_options_);
}

std::int64_t gate_world::make_product(std::int64_t supplied, std::optional<std::int64_t> limit,
                                      std::optional<timestamp> starts,
                                      std::optional<timestamp> ends, currency_code currency,
                                      std::uint32_t payment_window_s) {
    postgres::parameters with;
    with.integer(supplied).integer(limit).time(starts).time(ends).text(currency.text());
    with.integer(payment_window_s);
    auto made = database_.execute(insert_product, with);
    if (!made) throw std::runtime_error(made.error().message);
    const std::int64_t id = made->integer(0, 0);
    const auto told = give({id, supplied, 1'999, limit, starts, ends, currency, payment_window_s});
    if (!told) throw std::runtime_error(std::string(name_of(told.error())));
    return id;
}

stock::reservation gate_world::sale(std::int64_t product, std::int64_t user, std::int64_t quantity,
                                    std::string key) {
    stock::reservation out;
    out.product_id = product;
    out.user_id = user;
    out.quantity = quantity;
    out.id = ids_.make(0, timestamp{});
    out.dated_by_gate = true;
    out.idempotency_key = keys_.emplace_back(std::move(key));
    return out;
}

stock::reservation gate_world::reduction(std::int64_t product, std::int64_t quantity,
                                         std::string key) {
    stock::reservation out = sale(product, 0, quantity, std::move(key));
    out.what = stock::operation::reduction;
    return out;
}

std::vector<stock::decision> gate_world::reserve(std::vector<stock::reservation> batch) {
    return wait_for<std::vector<stock::decision>>(
        [&](auto done) { gate_->reserve(std::move(batch), std::move(done)); });
}

stock::decision gate_world::reserve_one(stock::reservation one) {
    std::vector<stock::reservation> batch;
    batch.push_back(std::move(one));
    return reserve(std::move(batch)).front();
}

std::expected<void, stock::errc> gate_world::give(stock::gate_product what) {
    return wait_for<std::expected<void, stock::errc>>([&](auto done) {
        stock::gate& to = gate_ ? *gate_ : *(gate_ = another());
        to.give({what}, std::move(done));
    });
}

std::expected<void, stock::errc> gate_world::change(stock::gate_product what) {
    if (kind_ != adapter::database) return give(std::move(what));
    auto made = database_.execute(make_sale, postgres::parameters().integer(what.sale_id));
    if (!made) throw std::runtime_error(made.error().message);
    postgres::parameters with;
    with.integer(what.id).integer(what.price).integer(what.per_user_limit);
    with.time(what.sale_starts_at).time(what.sale_ends_at).integer(what.revision);
    with.text(word_of(what.halted)).integer(what.sale_id).integer(what.sale_limit);
    made = database_.execute(change_product, with);
    if (!made) throw std::runtime_error(made.error().message);
    return {};
}

void gate_world::redis_command(std::vector<std::string_view> words) {
    const auto done =
        wait_for<redis::result>([&](auto reply) { client_.command(words, std::move(reply)); });
    if (!done) throw std::runtime_error(done.error().message);
}

std::expected<void, stock::errc> gate_world::take_returns(stock::returned_units what) {
    return wait_for<std::expected<void, stock::errc>>(
        [&](auto done) { gate_->take_returns(std::move(what), std::move(done)); });
}

std::expected<void, stock::errc> gate_world::prune(const stock::grant& granted) {
    return wait_for<std::expected<void, stock::errc>>(
        [&](auto done) { gate_->prune({{granted.id, 0, epochs_.get(0)}}, std::move(done)); });
}

std::optional<std::int64_t> gate_world::available(std::int64_t product) {
    using answer = std::expected<std::vector<std::optional<std::int64_t>>, stock::errc>;
    const auto found =
        wait_for<answer>([&](auto done) { gate_->available({product}, std::move(done)); });
    if (!found) throw std::runtime_error(std::string(name_of(found.error())));
    return found->front();
}

std::expected<std::optional<std::string>, stock::errc> gate_world::find_event(uuid id) {
    return wait_for<std::expected<std::optional<std::string>, stock::errc>>(
        [&](auto done) { gate_->find_event(id, std::move(done)); });
}

stock::gate::found_events gate_world::find_events(std::vector<uuid> ids) {
    using answer = std::expected<stock::gate::found_events, stock::errc>;
    auto found = wait_for<answer>(
        [&](auto done) { gate_->find_events(0, std::move(ids), std::move(done)); });
    if (!found) throw std::runtime_error(std::string(name_of(found.error())));
    return std::move(*found);
}

std::expected<stock::gate::levels, stock::errc> gate_world::levels(std::int64_t product) {
    return wait_for<std::expected<stock::gate::levels, stock::errc>>(
        [&](auto done) { gate_->read_levels(0, {product}, std::move(done)); });
}

std::vector<std::string> gate_world::outbox() {
    std::vector<std::string> all;
    std::string cursor;
    do {
        auto page = wait_for<std::expected<stock::gate::outbox_page, stock::errc>>(
            [&](auto done) { gate_->read_outbox(0, cursor, std::move(done)); });
        if (!page) throw std::runtime_error(std::string(name_of(page.error())));
        all.insert(all.end(), page->events.begin(), page->events.end());
        cursor = page->next_cursor;
    } while (!cursor.empty());
    return all;
}

}  // namespace flashsale::test
