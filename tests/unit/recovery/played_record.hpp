#pragma once

// A shard's gate as recovery sees it, and the record that it is rebuilt from: one product.

#include <flashsale/order/record.hpp>
#include <flashsale/stock.hpp>
#include <flashsale/stock/record.hpp>

#include "played_ports.hpp"

namespace flashsale::test {

class played_gate_admin final : public stock::gate_admin {
public:
    explicit played_gate_admin(history& of) : of_(of) {}

    std::int64_t free = 10;  ///< of the product, when it was loaded

    class played_attempt final : public stock::gate_attempt {
    public:
        played_attempt(history& of, std::int64_t free) : of_(of), free_(free) {}

        done check_server() override { return {}; }
        std::expected<closing, std::string> close(std::span<const uuid>) override {
            of_.tell("close");
            return closing::met;
        }
        std::expected<bool, std::string> renew(const uuid&) override { return true; }
        done for_each_survivor(
            const std::function<done(std::vector<std::string> events)>&) override {
            return {};
        }
        std::expected<bool, std::string> begin() override {
            of_.tell("begin");
            return true;
        }
        done load(std::span<const stock::allocation>,
                  const std::function<stock::counting(std::int64_t)>&) override {
            of_.tell("load orders");
            return {};
        }
        done load(std::span<const stock::buyer_returns>) override { return {}; }
        std::expected<std::vector<std::int64_t>, std::string> load(
            std::span<const stock::gate_product> products) override {
            of_.tell("load products");
            return std::vector<std::int64_t>(products.size(), free_);
        }
        std::expected<bool, std::string> open() override {
            of_.tell("open");
            return true;
        }
        done remove_older(const stock::breath& breathe) override { return breathe(); }
        done remove_own(const stock::breath&) override {
            of_.tell("remove own");
            return {};
        }

    private:
        history& of_;
        const std::int64_t free_;
    };

    std::unique_ptr<stock::gate_attempt> attempt(std::uint64_t, const uuid&) override {
        return std::make_unique<played_attempt>(of_, free);
    }
    bool ready() const override { return true; }
    std::expected<stock::gate_server, std::string> read_server() override {
        return stock::gate_server{};
    }
    std::expected<std::optional<stock::gate_header>, std::string> read_header() override {
        return std::optional<stock::gate_header>{};
    }
    std::expected<std::optional<stock::gate_account>, std::string> read_account(
        const stock::breath&) override {
        return std::optional<stock::gate_account>{};
    }
    std::expected<bool, std::string> shut(std::uint64_t) override { return true; }
    std::expected<stock::holding, std::string> hold(std::uint64_t, const std::string&) override {
        return stock::holding::now;
    }
    std::expected<bool, std::string> release(std::uint64_t, bool) override { return true; }
    bool is_ours(const stock::gate_header&) const override { return true; }

private:
    history& of_;
};

class played_products final : public stock::record_reader, public stock::ledger {
public:
    std::int64_t in_stock = 10;
    bool moves = true;  ///< the ledger has what it is asked for
    std::vector<stock::movement> recorded;

    std::expected<product_page, std::string> products(std::uint32_t, std::uint32_t, std::int64_t,
                                                      std::size_t) override {
        product one;
        one.units.id = 1;
        one.units.supplied = 10;
        one.stock = in_stock;
        return product_page{{one}, std::nullopt};
    }
    std::expected<allocation_page, std::string> reductions(std::uint32_t, std::uint32_t,
                                                           stock::allocation_id,
                                                           std::size_t) override {
        return allocation_page{};
    }
    std::expected<allocation_page, std::string> sales(std::uint32_t, std::uint32_t,
                                                      stock::allocation_id, std::size_t) override {
        return allocation_page{};
    }
    std::expected<buyer_page, std::string> buyer_returns_of(std::uint32_t, std::uint32_t, buyer,
                                                            std::size_t) override {
        return buyer_page{};
    }
    std::expected<std::vector<stock::allocation_id>, std::string> came_back(
        std::span<const stock::allocation_id>) override {
        return std::vector<stock::allocation_id>{};
    }
    std::expected<std::vector<stock::allocation_id>, std::string> moved(
        std::span<const stock::allocation_id> ids) override {
        if (!moves) return std::vector<stock::allocation_id>{};
        return std::vector<stock::allocation_id>(ids.begin(), ids.end());
    }
    done for_each_product(const std::function<void(stock::recorded_product)>&) override {
        return {};
    }
    done for_each_allocation(const std::function<void(stock::allocation)>&) override { return {}; }
    done for_each_buyer_returns(const std::function<void(stock::buyer_returns)>&) override {
        return {};
    }

    std::expected<std::vector<stock::refused_movement>, std::string> record(
        std::span<const stock::movement> movements) override {
        recorded.insert(recorded.end(), movements.begin(), movements.end());
        for (const stock::movement& one : movements)
            in_stock += one.delta;
        return std::vector<stock::refused_movement>{};
    }
};

class played_orders final : public order::record_reader {
public:
    std::vector<stock::allocation> sold, set_aside;

    std::expected<order_page, std::string> orders(std::uint32_t, std::uint32_t,
                                                  stock::allocation_id, std::size_t) override {
        return order_page{sold, std::nullopt};
    }
    std::expected<event_page, std::string> parked(std::uint32_t, std::uint32_t, uuid,
                                                  std::size_t) override {
        return event_page{set_aside, std::nullopt};
    }
    std::expected<std::vector<uuid>, std::string> recorded(std::span<const uuid> ids) override {
        return std::vector<uuid>(ids.begin(), ids.end());
    }
    done for_each_order(const std::function<void(stock::allocation)>&) override { return {}; }
    std::expected<std::vector<order::unfinished_order>, std::string> unfinished() override {
        return std::vector<order::unfinished_order>{};
    }
    done for_each_payment(const std::function<void(order::payment)>&) override { return {}; }
    std::expected<std::vector<uuid>, std::string> paid_otherwise() override {
        return std::vector<uuid>{};
    }
    done for_each_refund(const std::function<void(order::refund)>&) override { return {}; }
    std::expected<std::vector<uuid>, std::string> refunded_otherwise() override {
        return std::vector<uuid>{};
    }
    std::expected<std::vector<order::unfinished_money>, std::string> money_unfinished() override {
        return std::vector<order::unfinished_money>{};
    }
    done for_each_parked(const std::function<void(order::parked_event)>&) override { return {}; }
    done for_each_dropped(const std::function<void(std::string_view)>&) override { return {}; }
    std::expected<std::vector<uuid>, std::string> late() override { return std::vector<uuid>{}; }
    std::expected<std::vector<order::late_event>, std::string> late_events() override {
        return std::vector<order::late_event>{};
    }
    std::expected<std::vector<order::raised_fence>, std::string> raised_fences() override {
        return std::vector<order::raised_fence>{};
    }
};

}  // namespace flashsale::test
