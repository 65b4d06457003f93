#include "gate_access.hpp"
#include "probe.hpp"
#include "record_views.hpp"

namespace flashsale::app {

namespace {

class stack_record_view final : public audit::record_view {
public:
    explicit stack_record_view(const config& settings)
        : gate_is_database_(!uses_redis(settings)),
          epochs_(shards_of(settings)),
          access_(io_, settings, epochs_),
          stock_database_(
              open_session(settings, "stock", "postgres.stock_url", settings.postgres.stock_url)),
          order_database_(
              open_session(settings, "order", "postgres.order_url", settings.postgres.order_url)),
          user_database_(
              open_session(settings, "user", "postgres.user_url", settings.postgres.user_url)),
          products_(stock::make_postgres_record_reader(stock_database_)),
          orders_(order::make_postgres_record_reader(order_database_)),
          users_(user::make_postgres_record_reader(user_database_)) {
        access_.start();
    }

    ~stack_record_view() override {
        access_.stop();
        io_.restart();
        io_.poll();
    }

    asio::io_context& io() override { return io_; }
    stock::gate_levels& gate() override { return access_.gate(); }
    stock::outbox_pages& outbox() override { return access_.gate(); }
    std::uint32_t shards() const override { return epochs_.shards(); }
    bool gate_is_database() const override { return gate_is_database_; }
    std::optional<stock::shard_state> shard(std::uint32_t which) override {
        if (gate_is_database_) return std::nullopt;
        const auto noted = stock::read_shard(stock_database_, which);
        if (!noted) throw unavailable_error(noted.error());
        return *noted;
    }
    stock::record_reader& products() override { return *products_; }
    order::record_reader& orders() override { return *orders_; }
    user::record_reader& users() override { return *users_; }

private:
    const bool gate_is_database_;
    stock::shard_epochs epochs_;
    asio::io_context io_;
    gate_access access_;
    postgres::session stock_database_;
    postgres::session order_database_;
    postgres::session user_database_;
    std::unique_ptr<stock::record_reader> products_;
    std::unique_ptr<order::record_reader> orders_;
    std::unique_ptr<user::record_reader> users_;
};

}  // namespace

std::unique_ptr<audit::record_view> make_stack_record_view(const config& settings) {
    require_schemas(settings);
    return std::make_unique<stack_record_view>(settings);
}

}  // namespace flashsale::app
