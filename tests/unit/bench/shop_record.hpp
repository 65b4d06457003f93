#pragma once

#include <algorithm>

#include "fake_shop.hpp"
#include "record/record_source.hpp"

namespace flashsale::bench {

/// What a fake shop stored, as its databases would show it.
class shop_record final : public record_source {
public:
    explicit shop_record(const test::fake_shop& shop) : shop_{shop} {}

    std::expected<void, std::string> open() override { return {}; }
    std::expected<progress, std::string> count(std::span<const std::int64_t>) override {
        const auto moved = shop_.movements();
        return progress{static_cast<std::int64_t>(shop_.orders().size()),
                        std::ranges::count(moved, true, &test::fake_shop::movement::sale)};
    }
    std::expected<record, std::string> read(std::span<const std::int64_t>) override {
        record all;
        for (const auto& row : shop_.orders()) {
            all.orders.push_back({row.id, row.user, row.product, row.quantity, row.key});
        }
        for (const auto& row : shop_.movements()) {
            all.movements.push_back({row.id, row.product, row.delta,
                                     row.sale ? movement_kind::sale : movement_kind::initial});
        }
        for (const auto& row : shop_.products()) {
            all.products.push_back({row.id, row.supplied, row.stock});
        }
        return all;
    }

private:
    const test::fake_shop& shop_;
};

}  // namespace flashsale::bench
