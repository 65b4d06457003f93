#include "http/order_walk.hpp"

#include <boost/asio/co_spawn.hpp>

#include <catch2/catch.hpp>

using namespace flashsale;
using flashsale::order::errc;
using flashsale::order::order_walk;
using flashsale::order::store_errc;

namespace {

using orders = std::vector<flashsale::order::order>;

uuid id_of(int number) {
    uuid out;
    out.bytes[14] = static_cast<std::uint8_t>(number / 256);
    out.bytes[15] = static_cast<std::uint8_t>(number % 256);
    return out;
}

flashsale::order::order order_with(int number) {
    return {id_of(number), 7, 3, 1, 999, {}};
}

/// Has so many orders of user 7, of product 3, whose numbers begin at 1.
class numbered_store final : public flashsale::order::store {
public:
    awaitable<std::expected<std::optional<flashsale::order::order>, store_errc>> find(
        uuid) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::optional<std::string>, store_errc>> find_parked(uuid) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::vector<flashsale::order::payment>, store_errc>> payments(
        uuid) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::vector<flashsale::order::order_change>, store_errc>> changes(
        uuid) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::uint64_t, store_errc>> newest_gate(std::uint32_t) override {
        co_return 1;
    }
    awaitable<std::expected<orders, store_errc>> list(std::int64_t, std::optional<uuid>,
                                                      std::int64_t) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::vector<flashsale::order::user_order>, store_errc>> list_by_key(
        std::int64_t user, flashsale::order::user_order_place after, std::int64_t limit) override {
        if (fails) co_return std::unexpected(*fails);
        std::vector<flashsale::order::user_order> out;
        const int last = after.idempotency_key.empty() ? 0 : std::stoi(after.idempotency_key);
        for (int i = last + 1; i <= count && std::ssize(out) < limit && user == 7; ++i)
            out.push_back({order_with(i), {3, std::to_string(i)}});
        ++pages;
        co_return out;
    }
    awaitable<std::expected<std::vector<flashsale::order::recorded_order_view>, store_errc>>
    list_of_product(std::int64_t product, std::int64_t after, std::int64_t limit) override {
        if (fails) co_return std::unexpected(*fails);
        std::vector<flashsale::order::recorded_order_view> out;
        for (int i = static_cast<int>(after) + 1;
             i <= count && std::ssize(out) < limit && product == 3; ++i)
            out.push_back({order_with(i), i});
        ++pages;
        co_return out;
    }

    int count = 0;
    int pages = 0;
    std::optional<store_errc> fails;
};

order_walk::page next(order_walk& walk) {
    asio::io_context io{1};
    order_walk::page out;
    asio::co_spawn(io, walk.next(),
                   [&](std::exception_ptr, order_walk::page found) { out = std::move(found); });
    io.run();
    return out;
}

/// All that comes, in pages that are not too large.
std::vector<uuid> all_of(order_walk& walk) {
    std::vector<uuid> out;
    while (true) {
        const auto page = next(walk);
        REQUIRE(page.has_value());
        CHECK(std::ssize(*page) <= flashsale::order::walk_page_orders);
        if (page->empty()) return out;
        for (const auto& one : *page)
            out.push_back(one.id);
    }
}

std::vector<uuid> ids_to(int count) {
    std::vector<uuid> out;
    for (int i = 1; i <= count; ++i)
        out.push_back(id_of(i));
    return out;
}

}  // namespace

TEST_CASE("order walk: all orders come in pages, each once, and then nothing") {
    const int count = GENERATE(0, 1, 999, 1'000, 1'001, 3'000);
    numbered_store record;
    record.count = count;
    flashsale::order::product_walk product(record, 3);
    flashsale::order::user_walk user(record, 7, {});
    CHECK(all_of(product) == ids_to(count));
    CHECK(all_of(user) == ids_to(count));
    const int pages = record.pages;
    CHECK(next(product)->empty());
    CHECK(next(user)->empty());
    CHECK(record.pages == pages);  // whose end is known is not asked again
}

TEST_CASE("order walk: what waited for the record comes first, and not once more") {
    numbered_store record;
    record.count = 2'500;
    orders waiting{order_with(9'000), order_with(2), order_with(2'400)};
    for (int i = 1'000; i < 2'200; ++i)  // more than a page of the record, recorded meanwhile
        waiting.push_back(order_with(i));
    flashsale::order::user_walk walk(record, 7, waiting);
    auto seen = all_of(walk);
    CHECK(std::ranges::find(seen, id_of(9'000)) < seen.begin() + std::ssize(waiting));
    auto expected = ids_to(2'500);
    expected.push_back(id_of(9'000));
    std::ranges::sort(seen);
    CHECK(seen == expected);
}

TEST_CASE("order walk: a record that fails is no end") {
    numbered_store record;
    record.count = 2'000;
    flashsale::order::product_walk product(record, 3);
    flashsale::order::user_walk user(record, 7, {});
    REQUIRE(next(product)->size() == 1'000);
    REQUIRE(next(user)->size() == 1'000);
    record.fails = store_errc::dependency_unavailable;
    CHECK(next(product).error() == errc::dependency_unavailable);
    record.fails = store_errc::overloaded;
    CHECK(next(user).error() == errc::overloaded);
}
