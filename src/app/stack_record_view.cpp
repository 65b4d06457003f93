#include "gate_access.hpp"
#include "probe.hpp"
#include "sites.hpp"

namespace flashsale::app {

namespace {

class stack_record_view final : public audit::record_view {
public:
    explicit stack_record_view(const config& settings)
        : can_(capabilities_of(settings)),
          epochs_(can_.shards),
          access_(io_, settings, epochs_),
          record_(settings, false),
          user_database_(postgres_options(settings, settings.postgres.user_url)),
          users_(user::make_postgres_record_reader(user_database_)) {
        record_.must_connect(settings);
        require_session(user_database_, "user", "postgres.user_url", settings.postgres.user_url);
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
    std::uint32_t shards() const override { return can_.shards; }
    bool gate_is_database() const override { return can_.gate_is_database; }
    std::optional<stock::shard_state> shard(std::uint32_t which) override {
        if (!can_.rebuilds_gates()) return std::nullopt;
        const auto noted = record_.registry->read(which);
        if (!noted) throw unavailable_error(noted.error());
        return *noted;
    }
    stock::record_reader& products() override { return *record_.ports.products; }
    order::record_reader& orders() override { return *record_.ports.orders; }
    user::record_reader& users() override { return *users_; }

private:
    const capabilities can_;
    stock::shard_epochs epochs_;
    asio::io_context io_;
    gate_access access_;
    stack_record record_;
    postgres::session user_database_;
    std::unique_ptr<user::record_reader> users_;
};

}  // namespace

std::unique_ptr<audit::record_view> stack_site::record_view() const {
    require_schemas(settings);
    return std::make_unique<stack_record_view>(settings);
}

}  // namespace flashsale::app
