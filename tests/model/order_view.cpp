#include "order_view.hpp"

#include "lives.hpp"
#include "process.hpp"

namespace flashsale::model {

namespace {

class order_view final : public order::store {
public:
    explicit order_view(process& of) : of_(of) {}

    awaitable<std::expected<std::optional<order::order>, order::store_errc>> find(
        uuid id) override {
        auto found = co_await of_.ask<std::optional<order::order>>(
            *of_.in.orders, [&in = of_.in, id]() -> std::optional<order::order> {
                const auto row = in.orders->life->heads.find(id);
                if (row == in.orders->life->heads.end()) return std::nullopt;
                return row->second.what;
            });
        if (!found) co_return std::unexpected(order::store_errc::dependency_unavailable);
        co_return *found;
    }

    awaitable<std::expected<std::optional<std::string>, order::store_errc>> find_parked(
        uuid id) override {
        auto found = co_await of_.ask<std::optional<std::string>>(
            *of_.in.orders, [&in = of_.in, id]() -> std::optional<std::string> {
                const auto row = in.orders->parked.find(id);
                if (row == in.orders->parked.end() || !row->second.holds_units) return std::nullopt;
                return row->second.event;
            });
        if (!found) co_return std::unexpected(order::store_errc::dependency_unavailable);
        co_return *found;
    }

    awaitable<std::expected<std::uint64_t, order::store_errc>> newest_gate(std::uint32_t) override {
        auto found = co_await of_.ask<std::uint64_t>(*of_.in.orders, [&in = of_.in] {
            return in.is_without(guard::fence_looked_at) ? 0 : in.orders->fence;
        });
        if (!found) co_return std::unexpected(order::store_errc::dependency_unavailable);
        co_return *found;
    }

    template <class T>
    using all_of = awaitable<std::expected<std::vector<T>, order::store_errc>>;
    all_of<order::payment> payments(uuid) override {
        co_return std::unexpected(order::store_errc::dependency_unavailable);
    }
    all_of<order::order_change> changes(uuid) override {
        co_return std::unexpected(order::store_errc::dependency_unavailable);
    }

    awaitable<std::expected<std::vector<order::order>, order::store_errc>> list(
        std::int64_t, std::optional<uuid>, std::int64_t) override {
        co_return std::unexpected(order::store_errc::dependency_unavailable);
    }

    awaitable<std::expected<std::vector<order::user_order>, order::store_errc>> list_by_key(
        std::int64_t, order::user_order_place, std::int64_t) override {
        co_return std::unexpected(order::store_errc::dependency_unavailable);
    }

    awaitable<std::expected<std::vector<order::recorded_order_view>, order::store_errc>>
    list_of_product(std::int64_t, std::int64_t, std::int64_t) override {
        co_return std::unexpected(order::store_errc::dependency_unavailable);
    }

private:
    process& of_;
};

}  // namespace

std::unique_ptr<order::store> make_order_view(process& of) {
    return std::make_unique<order_view>(of);
}

}  // namespace flashsale::model
