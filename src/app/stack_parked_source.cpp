#include <flashsale/stock/recovery.hpp>

#include "probe.hpp"
#include "sites.hpp"

namespace flashsale::app {

namespace {

class stack_parked_source final : public parked_source {
public:
    explicit stack_parked_source(const config& settings)
        : can_(capabilities_of(settings)), record_(settings, false) {
        record_.must_connect(settings);
    }

    const record_ports& record() const override { return record_.ports; }

    bool asks_again() const override { return true; }
    std::expected<hold, std::string> hold_on(const uuid&) override {
        return can_.gate_is_database ? hold::sold_by_gate : hold::none;
    }
    std::expected<stock::given_back, std::string> give_back(const stock::movement& taken) override {
        return stock::give_back(record_.stock_database, taken);
    }
    std::expected<bool, std::string> is_given_back(const stock::movement& taken) override {
        return stock::is_given_back(record_.stock_database, taken);
    }
    const char* after_giving_back() const override {
        return "and come to the gate with the next pass. Its key stays used until the shard is "
               "rebuilt";
    }

private:
    const capabilities can_;
    stack_record record_;
};

}  // namespace

std::unique_ptr<parked_source> stack_site::parked(bool) const {
    require_schemas(settings);
    return std::make_unique<stack_parked_source>(settings);
}

}  // namespace flashsale::app
