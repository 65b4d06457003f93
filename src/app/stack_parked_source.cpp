#include <flashsale/stock/module.hpp>

#include "compose.hpp"
#include "parked_source.hpp"
#include "probe.hpp"

namespace flashsale::app {

namespace {

class stack_parked_source final : public parked_source {
public:
    explicit stack_parked_source(const config& settings)
        : gate_is_database_(!uses_redis(settings)),
          stock_database_(
              open_session(settings, "stock", "postgres.stock_url", settings.postgres.stock_url)),
          order_database_(
              open_session(settings, "order", "postgres.order_url", settings.postgres.order_url)),
          parked_(order::make_postgres_parked_events(order_database_)),
          orders_(order::make_postgres_recording(order_database_, false)),
          ledger_(stock::make_postgres_ledger(stock_database_, false)) {}

    order::parked_events& parked() override { return *parked_; }
    order::recording& orders() override { return *orders_; }
    stock::ledger& ledger() override { return *ledger_; }

    bool asks_again() const override { return true; }
    std::expected<hold, std::string> hold_on(const uuid&) override {
        return gate_is_database_ ? hold::sold_by_gate : hold::none;
    }
    std::expected<stock::given_back, std::string> give_back(const stock::movement& taken) override {
        return stock::give_back(stock_database_, taken);
    }
    std::expected<bool, std::string> is_given_back(const stock::movement& taken) override {
        return stock::is_given_back(stock_database_, taken);
    }
    const char* after_giving_back() const override {
        return "and come to the gate with the next pass. Its key stays used until the shard is "
               "rebuilt";
    }

private:
    const bool gate_is_database_;
    postgres::session stock_database_;
    postgres::session order_database_;
    std::unique_ptr<order::parked_events> parked_;
    std::unique_ptr<order::recording> orders_;
    std::unique_ptr<stock::ledger> ledger_;
};

}  // namespace

std::unique_ptr<parked_source> make_stack_parked_source(const config& settings) {
    require_schemas(settings);
    return std::make_unique<stack_parked_source>(settings);
}

}  // namespace flashsale::app
