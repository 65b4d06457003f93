// What recovery reads of the record, and asks of the order database.

#include "record_ports.hpp"

#include <flashsale/order/allocation_of.hpp>

#include <algorithm>

namespace flashsale::model {

namespace {

using fault = std::unexpected<std::string>;
using nothing = std::expected<void, std::string>;

template <class T>
std::vector<T> copied(std::span<const T> all) {
    return {all.begin(), all.end()};
}

nothing done(const std::expected<bool, std::string>& result) {
    if (!result) return fault(result.error());
    return {};
}

/// Behind `after`, at most so many rows of a table by its key.
template <class Page, class Table, class Place, class Take>
Page page_of(const Table& all, const Place& after, std::size_t rows_max, const Take& take) {
    Page out;
    std::size_t read = 0;
    for (auto at = all.upper_bound(after); at != all.end(); ++at) {
        take(at->second, out.rows);
        if (++read < rows_max) continue;
        out.next = at->first;
        break;
    }
    return out;
}

class stock_reader final : public stock::record_reader {
public:
    explicit stock_reader(asking_stock& asks) : asks_(asks) {}

    std::expected<product_page, std::string> products(std::uint32_t, std::uint32_t,
                                                      std::int64_t after,
                                                      std::size_t rows_max) override {
        return asks_([&in = *asks_.of().in.stock, after, rows_max] {
            return page_of<product_page>(in.products, after, rows_max,
                                         [](const product_row& row, auto& rows) {
                                             rows.push_back({units_of(row), row.stock});
                                         });
        });
    }

    std::expected<allocation_page, std::string> reductions(std::uint32_t, std::uint32_t,
                                                           stock::allocation_id after,
                                                           std::size_t rows_max) override {
        return movements(stock::operation::reduction, after, rows_max);
    }

    std::expected<allocation_page, std::string> sales(std::uint32_t, std::uint32_t,
                                                      stock::allocation_id after,
                                                      std::size_t rows_max) override {
        return movements(stock::operation::sale, after, rows_max);
    }

    std::expected<buyer_page, std::string> buyer_returns_of(std::uint32_t, std::uint32_t,
                                                            buyer after,
                                                            std::size_t rows_max) override {
        return asks_([&in = *asks_.of().in.stock, after, rows_max] {
            buyer_page out;
            auto at = in.buyer_returns.upper_bound({after.product_id, after.user_id});
            for (; at != in.buyer_returns.end(); ++at) {
                out.rows.push_back({at->first.first, at->first.second, at->second});
                if (out.rows.size() < rows_max) continue;
                out.next = buyer{at->first.first, at->first.second};
                break;
            }
            return out;
        });
    }

    std::expected<std::vector<stock::allocation_id>, std::string> moved(
        std::span<const stock::allocation_id> ids) override {
        return asks_([&in = *asks_.of().in.stock, all = copied(ids)] {
            std::vector<stock::allocation_id> out;
            for (const stock::allocation_id& one : all) {
                if (in.movements.contains(one)) out.push_back(one);
            }
            return out;
        });
    }

    nothing for_each_product(const std::function<void(stock::recorded_product)>&) override {
        return fault("no audit is made here");
    }
    nothing for_each_allocation(const std::function<void(stock::allocation)>&) override {
        return fault("no audit is made here");
    }
    std::expected<std::vector<stock::allocation_id>, std::string> came_back(
        std::span<const stock::allocation_id>) override {
        return fault("no audit is made here");
    }
    nothing for_each_buyer_returns(const std::function<void(stock::buyer_returns)>&) override {
        return fault("no audit is made here");
    }

private:
    std::expected<allocation_page, std::string> movements(stock::operation what,
                                                          stock::allocation_id after,
                                                          std::size_t rows_max) {
        return asks_([&in = *asks_.of().in.stock, what, after, rows_max] {
            return page_of<allocation_page>(
                in.movements, after, rows_max, [what](const stock::movement& one, auto& rows) {
                    if (one.what != what) return;
                    rows.push_back({.order_id = one.id,
                                    .line = one.line,
                                    .what = what,
                                    .product_id = one.product_id,
                                    .quantity = -one.delta,
                                    .unit_price = 100,
                                    .idempotency_key = one.idempotency_key,
                                    .epoch = one.epoch,
                                    .seq = one.seq});
                });
        });
    }

    asking_stock& asks_;
};

class plain_ledger final : public stock::ledger {
public:
    explicit plain_ledger(asking_stock& asks) : asks_(asks) {}

    std::expected<std::vector<stock::refused_movement>, std::string> record(
        std::span<const stock::movement> movements) override {
        return asks_([&in = *asks_.of().in.stock, all = copied(movements)] {
            return in.record(all, in.fence);
        });
    }

private:
    asking_stock& asks_;
};

class recovery_store final : public order::recovery_store {
public:
    explicit recovery_store(asking_orders& asks) : asks_(asks) {}

    std::expected<bool, std::string> barrier_recorded(const uuid& barrier) override {
        return asks_(
            [&in = *asks_.of().in.orders, barrier] { return in.barriers.contains(barrier); });
    }

    std::expected<std::vector<uuid>, std::string> known_events(std::span<const uuid> ids) override {
        return asks_([&in = *asks_.of().in.orders, all = copied(ids)] {
            std::vector<uuid> out;
            for (const uuid& one : all) {
                if (in.has(one) || in.parked.contains(one) || in.late.contains(one))
                    out.push_back(one);
            }
            return out;
        });
    }

    nothing raise_fence(std::uint32_t, std::uint64_t epoch, timestamp) override {
        return done(asks_([&in = *asks_.of().in.orders, epoch] {
            in.fence = std::max(in.fence, epoch);
            return true;
        }));
    }

    std::expected<order::known_seqs, std::string> find_known_seqs(
        std::uint32_t, std::uint32_t, std::uint64_t epoch,
        const std::function<nothing()>& breathe) override {
        // What is set aside, and then the orders.
        auto found = asks_([&in = *asks_.of().in.orders, epoch] {
            order::known_seqs out;
            const auto note = [&](const events::event& one) {
                if (events::base_of(one).epoch != epoch) return;
                if (const auto seq = events::seq_of(one)) out.set_aside.push_back(*seq);
            };
            for (const auto& [id, one] : in.parked) {
                if (const auto event = events::parse(one.event)) note(*event);
            }
            for (const auto& [id, one] : in.late)
                note(one);
            return out;
        });
        if (!found) return found;
        const auto orders = asks_([&in = *asks_.of().in.orders, epoch] {
            std::vector<std::uint64_t> out;
            for (const auto& [id, one] : in.orders) {
                if (one.epoch == epoch) out.push_back(one.seq);
            }
            return out;
        });
        if (!orders) return fault(orders.error());
        found->orders = *orders;
        if (auto rested = breathe(); !rested) return fault(rested.error());
        return found;
    }

    nothing answers() override {
        return done(asks_([] { return true; }));
    }
    nothing require_primary() override { return answers(); }
    std::uint64_t sessions() const override { return asks_.made(); }

private:
    asking_orders& asks_;
};

class order_reader final : public order::record_reader {
public:
    explicit order_reader(asking_orders& asks) : asks_(asks) {}

    std::expected<order_page, std::string> orders(std::uint32_t, std::uint32_t,
                                                  stock::allocation_id after,
                                                  std::size_t rows_max) override {
        return asks_([&in = *asks_.of().in.orders, after, rows_max] {
            return page_of<order_page>(
                in.orders, after, rows_max,
                [](const stock::allocation& one, auto& rows) { rows.push_back(one); });
        });
    }

    std::expected<event_page, std::string> parked(std::uint32_t, std::uint32_t, uuid after,
                                                  std::size_t rows_max) override {
        return asks_([&in = *asks_.of().in.orders, after, rows_max] {
            return page_of<event_page>(
                in.parked, after, rows_max, [](const parked_event& one, auto& rows) {
                    const auto event = events::parse(one.event);
                    const auto units = event ? order::allocation_of(*event) : std::nullopt;
                    if (one.holds_units && units) rows.push_back(*units);
                });
        });
    }

    std::expected<std::vector<uuid>, std::string> recorded(std::span<const uuid> ids) override {
        return asks_([&in = *asks_.of().in.orders, all = copied(ids)] {
            std::vector<uuid> out;
            for (const uuid& one : all) {
                if (in.has(one) || in.parked.contains(one)) out.push_back(one);
            }
            return out;
        });
    }

    nothing for_each_order(const std::function<void(stock::allocation)>&) override {
        return fault("no audit is made here");
    }
    std::expected<std::vector<order::unfinished_order>, std::string> unfinished() override {
        return fault("no audit is made here");
    }
    nothing for_each_payment(const std::function<void(order::payment)>&) override {
        return fault("no audit is made here");
    }
    std::expected<std::vector<uuid>, std::string> paid_otherwise() override {
        return fault("no audit is made here");
    }
    nothing for_each_refund(const std::function<void(order::refund)>&) override {
        return fault("no audit is made here");
    }
    std::expected<std::vector<uuid>, std::string> refunded_otherwise() override {
        return fault("no audit is made here");
    }
    std::expected<std::vector<order::unfinished_money>, std::string> money_unfinished() override {
        return fault("no audit is made here");
    }
    nothing for_each_parked(const std::function<void(order::parked_event)>&) override {
        return fault("no audit is made here");
    }
    nothing for_each_dropped(const std::function<void(std::string_view)>&) override {
        return fault("no audit is made here");
    }
    std::expected<std::vector<uuid>, std::string> late() override {
        return fault("no audit is made here");
    }
    std::expected<std::vector<order::late_event>, std::string> late_events() override {
        return fault("no audit is made here");
    }
    std::expected<std::vector<order::raised_fence>, std::string> raised_fences() override {
        return fault("no audit is made here");
    }

private:
    asking_orders& asks_;
};

class late_store final : public order::late_store {
public:
    explicit late_store(asking_orders& asks) : asks_(asks) {}

    std::expected<order::late_page, std::string> page(std::uint32_t, const uuid& after,
                                                      std::size_t events_max) override {
        return asks_([&in = *asks_.of().in.orders, after, events_max] {
            return page_of<order::late_page>(in.late, after, events_max,
                                             [](const events::event& one, auto& rows) {
                                                 if (const auto units = order::allocation_of(one))
                                                     rows.push_back(*units);
                                             });
        });
    }

    nothing forget(std::span<const uuid> ids) override {
        return done(asks_([&in = *asks_.of().in.orders, all = copied(ids)] {
            for (const uuid& one : all)
                in.late.erase(one);
            return true;
        }));
    }

    nothing park(const uuid& id, const std::string& reason) override {
        return done(asks_([&in = *asks_.of().in.orders, id, reason] {
            const auto gone = in.late.extract(id);
            if (!gone.empty()) in.park(id, events::text_of(gone.mapped()), reason, false);
            return true;
        }));
    }

private:
    asking_orders& asks_;
};

}  // namespace

std::unique_ptr<stock::record_reader> make_stock_reader(asking_stock& asks) {
    return std::make_unique<stock_reader>(asks);
}
std::unique_ptr<stock::ledger> make_plain_ledger(asking_stock& asks) {
    return std::make_unique<plain_ledger>(asks);
}
std::unique_ptr<order::recovery_store> make_recovery_store(asking_orders& asks) {
    return std::make_unique<recovery_store>(asks);
}
std::unique_ptr<order::record_reader> make_order_reader(asking_orders& asks) {
    return std::make_unique<order_reader>(asks);
}
std::unique_ptr<order::late_store> make_late_store(asking_orders& asks) {
    return std::make_unique<late_store>(asks);
}

}  // namespace flashsale::model
