#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <set>
#include <vector>

#include <flashsale/user/module.hpp>

#include "known_users.hpp"

using namespace flashsale;
using flashsale::user::directory;
using flashsale::user::directory_options;
using flashsale::user::errc;
using flashsale::user::id_range;
using flashsale::user::known_users;
using flashsale::user::make_directory;
using flashsale::user::store_errc;

namespace {

constexpr std::int64_t page = known_users::page_ids;

/// Answers when told to.
struct slow_store final : user::store {
    using existing = std::expected<std::vector<std::int64_t>, store_errc>;

    awaitable<std::expected<created, store_errc>> create(std::string, std::int64_t,
                                                         std::string) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::optional<user::user>, store_errc>> find(std::int64_t) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::optional<user::user>, store_errc>> find_by_name(
        std::string) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<deposited, store_errc>> deposit(std::int64_t, std::int64_t,
                                                            std::string) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    awaitable<std::expected<std::vector<user::balance_entry>, store_errc>> entries(
        std::int64_t, std::optional<std::int64_t>, std::int64_t) override {
        co_return std::unexpected(store_errc::dependency_unavailable);
    }
    void find_existing(std::vector<id_range> where, callback<existing> done) override {
        std::ranges::sort(where, {}, &id_range::first);
        asked.push_back(std::move(where));
        asking.push_back(std::move(done));
    }

    void answer() {
        std::vector<std::int64_t> found;
        for (const auto id : users) {
            for (const id_range& range : asked.back())
                if (range.first <= id && id <= range.last) found.push_back(id);
        }
        std::ranges::reverse(found);
        answer_with(std::move(found));
    }
    void answer_with(existing found) {
        auto done = std::move(asking.front());
        asking.pop_front();
        done(std::move(found));
    }

    std::set<std::int64_t> users;
    std::vector<std::vector<id_range>> asked;
    std::deque<callback<existing>> asking;
};

struct shop {
    void ask(std::int64_t id) {
        users->exists(id, [this, id](auto exists) { answers.emplace_back(id, exists); });
    }
    std::vector<std::pair<std::int64_t, std::expected<bool, errc>>> taken() {
        std::ranges::sort(answers, {}, [](const auto& one) { return one.first; });
        return std::exchange(answers, {});
    }

    slow_store record;
    directory_options options{.lookup_pages_max = 2};
    std::unique_ptr<directory> users = make_directory(record, options);
    std::vector<std::pair<std::int64_t, std::expected<bool, errc>>> answers;
};

}  // namespace

TEST_CASE("user directory: with one user his whole page becomes known") {
    shop of;
    of.record.users = {3, 4, page};
    of.ask(4);
    REQUIRE(of.record.asked.size() == 1);
    CHECK(of.record.asked[0] == std::vector<id_range>{{0, page - 1}});
    CHECK(of.answers.empty());
    of.record.answer();
    CHECK(of.taken() == decltype(of.answers){{4, true}});
    CHECK(of.users->is_known(3));
    CHECK_FALSE(of.users->is_known(5));
    CHECK_FALSE(of.users->is_known(page));
}

TEST_CASE("user directory: one who came after his page was read is found alone") {
    shop of;
    of.record.users = {3};
    of.ask(3);
    of.record.answer();
    of.record.users.insert(5);
    of.ask(5);
    of.ask(6);
    REQUIRE(of.record.asked.size() == 2);
    CHECK(of.record.asked[1] == std::vector<id_range>{{5, 5}});
    of.record.answer();
    REQUIRE(of.record.asked.size() == 3);
    CHECK(of.record.asked[2] == std::vector<id_range>{{6, 6}});
    of.record.answer();
    CHECK(of.taken() == decltype(of.answers){{3, true}, {5, true}, {6, false}});
    CHECK(of.users->is_known(5));
    CHECK_FALSE(of.users->is_known(6));
}

TEST_CASE("user directory: a crowd gathers while a look-up is under way, of few pages at a time") {
    shop of;
    for (std::int64_t id = 1; id <= 10 * page; id += 2)
        of.record.users.insert(id);
    of.ask(1);
    for (std::int64_t id = 2 * page; id < 6 * page; id += page / 4)
        of.ask(id + 1), of.ask(id + 2), of.ask(id + 1);
    of.record.answer();
    REQUIRE(of.record.asked.size() == 2);
    std::set<std::int64_t> pages;
    for (const id_range& one : of.record.asked[1]) {
        if (one.first != one.last) {
            CHECK(one.last - one.first == page - 1);
            pages.insert(one.first);
        } else {
            CHECK_FALSE(pages.contains(known_users::page_of(one.first).first));
        }
    }
    CHECK(pages.size() == 2);
    CHECK(of.record.asked[1].size() == 2 + 2 * 4 * 2);
    of.record.answer();
    const auto answers = of.taken();
    CHECK(answers.size() == 1 + 3 * 16);
    for (const auto& [id, exists] : answers)
        CHECK(exists == (id % 2 == 1));
    // No caller waits for anything else, but two of the pages may have been neighbours.
    if (of.record.asked.size() > 2) CHECK(of.record.asked[2].size() == 1);
    CHECK(of.record.asked.size() == 2 + of.record.asking.size());
}

TEST_CASE("user directory: who waits while his page is read is answered with it") {
    shop of;
    of.record.users = {3, 4, page};
    of.ask(3);
    of.ask(4);
    of.ask(5);
    of.ask(page);
    of.record.answer();
    CHECK(of.taken() == decltype(of.answers){{3, true}, {4, true}});
    REQUIRE(of.record.asked.size() == 2);
    CHECK(of.record.asked[1] == std::vector<id_range>{{5, 5}, {page, 2 * page - 1}});
    of.record.answer();
    CHECK(of.taken() == decltype(of.answers){{5, false}, {page, true}});
}

TEST_CASE("user directory: what the store cannot say is not remembered") {
    shop of;
    of.record.users = {3};
    of.ask(3);
    of.record.answer_with(std::unexpected(store_errc::dependency_unavailable));
    CHECK(of.taken() == decltype(of.answers){{3, std::unexpected(errc::dependency_unavailable)}});
    of.ask(3);
    CHECK(of.record.asked[1] == std::vector<id_range>{{0, page - 1}});
    of.record.answer();
    CHECK(of.taken() == decltype(of.answers){{3, true}});
}

TEST_CASE("user directory: who comes in order waits for two pages, and for no other") {
    shop of;
    for (std::int64_t id = 1; id < 6 * page; ++id)
        of.record.users.insert(id);
    of.ask(1);
    of.record.answer();
    CHECK(of.record.asking.empty());  // one page tells nothing of an order
    of.ask(page);
    of.record.answer();
    REQUIRE(of.record.asking.size() == 1);  // the third is read although no caller waits
    CHECK(of.record.asked.back() == std::vector<id_range>{{2 * page, 3 * page - 1}});
    of.record.answer();
    CHECK(of.record.asking.empty());
    of.taken();
    for (std::int64_t next = 2; next < 6; ++next) {
        of.ask(next * page + 7);
        CHECK(of.taken() == decltype(of.answers){{next * page + 7, true}});
        REQUIRE(of.record.asking.size() == 1);
        CHECK(of.record.asked.back() ==
              std::vector<id_range>{{(next + 1) * page, (next + 2) * page - 1}});
        of.record.answer();
        CHECK(of.users->is_known(next * page + 8));
        CHECK(of.record.asking.empty());  // once
    }
    CHECK(of.record.asked.size() == 7);
}

TEST_CASE("user directory: a page that could not be read ahead is asked for when somebody comes") {
    shop of;
    of.record.users = {1, page, 2 * page};
    of.ask(1);
    of.record.answer();
    of.ask(page);
    of.record.answer();
    REQUIRE(of.record.asking.size() == 1);
    of.ask(2 * page);  // meanwhile
    of.record.answer_with(std::unexpected(store_errc::dependency_unavailable));
    REQUIRE(of.record.asking.size() == 1);
    of.record.answer();
    CHECK(of.taken().back() == std::pair<std::int64_t, std::expected<bool, errc>>{2 * page, true});
}
