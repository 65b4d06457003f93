#pragma once

#include <catch2/catch.hpp>

#include <flashsale/stock/gate.hpp>

namespace flashsale::test {

/// A rebuild goes by the gate's administration, and asks the gate for nothing.
class unasked_gate final : public stock::gate {
public:
    batching_limits batching() const override { return {}; }
    void reserve(std::vector<stock::reservation>, callback<std::vector<stock::decision>>) override {
        fail();
    }
    void give(std::vector<stock::gate_product>,
              callback<std::expected<void, stock::errc>>) override {
        fail();
    }
    void take_returns(stock::returned_units, callback<std::expected<void, stock::errc>>) override {
        fail();
    }
    void read_outbox(std::uint32_t, std::string,
                     callback<std::expected<outbox_page, stock::errc>>) override {
        fail();
    }
    void prune(std::vector<stock::recorded_event>,
               callback<std::expected<void, stock::errc>>) override {
        fail();
    }
    void read_backlog(std::uint32_t, callback<std::expected<backlog, stock::errc>>) override {
        fail();
    }
    void find_event(uuid,
                    callback<std::expected<std::optional<std::string>, stock::errc>>) override {
        fail();
    }
    void find_events(std::uint32_t, std::vector<uuid>,
                     callback<std::expected<found_events, stock::errc>>) override {
        fail();
    }
    std::expected<void, std::string> check() const override { return {}; }
    void read_levels(std::uint32_t, std::vector<std::int64_t>,
                     callback<std::expected<levels, stock::errc>>) override {
        fail();
    }
    void list_products(std::uint32_t, std::uint64_t, std::string,
                       callback<std::expected<product_page, stock::errc>>) override {
        fail();
    }
    void available(
        std::vector<std::int64_t>,
        callback<std::expected<std::vector<std::optional<std::int64_t>>, stock::errc>>) override {
        fail();
    }

private:
    static void fail() { FAIL("the gate is asked"); }
};

}  // namespace flashsale::test
