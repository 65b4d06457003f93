#pragma once

#include <catch2/catch.hpp>
#include <flashsale/stock/gate_decisions.hpp>

#include <functional>
#include <set>
#include <vector>

namespace flashsale::test {

/// Has what it is told of in the databases, under its own id; of the rest it says the same of each.
class played_gate final : public stock::gate_decisions {
public:
    std::set<uuid> recorded;
    stock::errc otherwise = stock::errc::overloaded;
    std::vector<uuid> asked;

    batching_limits batching() const override { return {.reservations_max = 2}; }
    void reserve(std::vector<stock::reservation> batch,
                 callback<std::vector<stock::decision>> done) override {
        std::vector<stock::decision> all;
        for (const stock::reservation& one : batch) {
            asked.push_back(one.id);
            if (recorded.contains(one.id)) {
                stock::grant grant;
                grant.id = one.id;
                grant.repeat = grant.recorded = true;
                all.emplace_back(std::move(grant));
            } else {
                all.emplace_back(std::unexpected(otherwise));
            }
        }
        done(std::move(all));
    }

    void give(std::vector<stock::gate_product>,
              callback<std::expected<void, stock::errc>>) override {
        FAIL("it gives nothing");
    }
    void take_returns(stock::returned_units, callback<std::expected<void, stock::errc>>) override {
        FAIL("it takes nothing back");
    }
};

/// It answers in the call itself.
inline void at_once(const std::function<bool()>&) {}

}  // namespace flashsale::test
