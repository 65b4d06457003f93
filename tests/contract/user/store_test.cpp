// What every store of users does, on each database.

#include <catch2/catch.hpp>

#include "user_record.hpp"

using namespace flashsale;
using namespace flashsale::test;
using flashsale::user::store_errc;

namespace {

/// Of the ids in these ranges, those that there are.
std::expected<std::vector<std::int64_t>, store_errc> existing(user_record& record,
                                                              std::vector<user::id_range> where) {
    std::optional<std::expected<std::vector<std::int64_t>, store_errc>> answer;
    record.store->find_existing(std::move(where), [&](auto found) { answer = std::move(found); });
    CHECK_FALSE(answer.has_value());
    record.database.run_until([&] { return answer.has_value(); });
    if (*answer) std::ranges::sort(**answer);
    return std::move(*answer);
}

}  // namespace

TEST_CASE("user store: a user is made once for each key, and found") {
    user_record record(each_database());
    const auto before = wall_clock_now() - std::chrono::seconds{60};
    const auto made = record.create("ada", 700, "k1");
    REQUIRE(made.has_value());
    CHECK_FALSE(made->replayed);
    CHECK(made->who.username == "ada");
    CHECK(made->who.balance == 700);
    CHECK(made->who.created_at > before);

    const auto again = record.create("ada", 700, "k1");
    REQUIRE(again.has_value());
    CHECK(again->replayed);
    CHECK(again->who.id == made->who.id);
    CHECK(again->who.created_at == made->who.created_at);
    CHECK(record.create("ada", 701, "k1").error() == store_errc::idempotency_key_reused);
    CHECK(record.create("eve", 700, "k1").error() == store_errc::idempotency_key_reused);
    CHECK(record.create("ada", 700, "k2").error() == store_errc::username_taken);

    const auto found = record.find(made->who.id);
    REQUIRE(found.has_value());
    REQUIRE(found->has_value());
    CHECK((*found)->username == "ada");
    CHECK((*found)->created_at == made->who.created_at);
    const auto unknown = record.find(made->who.id + 1'000);
    REQUIRE(unknown.has_value());
    CHECK_FALSE(unknown->has_value());
}

TEST_CASE("user store: a name is taken in whatever case and form, and shown as given") {
    user_record record(each_database());
    const auto made = record.create("Zo\u00eb", 0, "k1");
    REQUIRE(made.has_value());
    CHECK(made->who.username == "Zo\u00eb");
    for (const char* same : {"zo\u00eb", "ZOE\u0308", "\uff3a\uff4f\u00eb"}) {
        INFO(same);
        CHECK(record.create(same, 0, std::string("k-") + same).error() ==
              store_errc::username_taken);
        CHECK(record.create(same, 0, "k1").error() == store_errc::idempotency_key_reused);
    }
    CHECK(record.create("Zoe", 0, "k2").has_value());

    const auto named = [&](std::string name) {
        const auto found = record.database.wait(record.store->find_by_name(std::move(name)));
        REQUIRE(found.has_value());
        return *found ? (*found)->username : "";
    };
    CHECK(named("Zo\u00eb") == "Zo\u00eb");
    CHECK(named("zoe\u0308") == "Zo\u00eb");
    CHECK(named("zoe") == "Zoe");
    CHECK(named("zo") == "");
}

TEST_CASE("user store: of a crowd that asks for one name at once, one has it") {
    user_record record(each_database());
    std::vector<std::expected<user::store::created, store_errc>> answers;
    const auto ask = [&](int i) -> awaitable<> {
        answers.push_back(co_await record.store->create("ada", 0, "key-" + std::to_string(i)));
    };
    for (int i = 0; i < 50; ++i)
        asio::co_spawn(record.database.io(), ask(i), [](std::exception_ptr) {});
    record.database.run_until([&] { return answers.size() == 50; });
    CHECK(std::ranges::count_if(answers, [](const auto& one) { return one.has_value(); }) == 1);
    for (const auto& one : answers) {
        if (!one) CHECK(one.error() == store_errc::username_taken);
    }
}

TEST_CASE("user store: of the ids and ranges asked for, those that exist") {
    user_record record(each_database());
    std::vector<std::int64_t> ids;
    for (int i = 0; i < 20; ++i)
        ids.push_back(record.create("u" + std::to_string(i), 0, std::to_string(i))->who.id);
    constexpr auto last = std::numeric_limits<std::int64_t>::max();
    const std::int64_t after = ids.back() + 1;
    std::vector<user::id_range> each{{after, after}, {0, 0}, {last, last}};
    for (const std::int64_t id : ids)
        each.push_back({id, id});
    CHECK(existing(record, each) == ids);
    CHECK(existing(record, {{after, after}}) == std::vector<std::int64_t>{});

    CHECK(existing(record, {{std::numeric_limits<std::int64_t>::min(), last}}) == ids);
    CHECK(existing(record, {{ids[12], last}, {ids[3], ids[5]}}) == [&] {
        std::vector<std::int64_t> some(ids.begin() + 3, ids.begin() + 6);
        some.insert(some.end(), ids.begin() + 12, ids.end());
        return some;
    }());
}

TEST_CASE("user store: once it is closed, everybody is told to come again") {
    user_record record(each_database());
    const std::int64_t id = record.create("ada", 0, "k")->who.id;
    record.database.stop();
    CHECK(record.create("eve", 0, "e").error() == store_errc::dependency_unavailable);
    CHECK(record.find(id).error() == store_errc::dependency_unavailable);
    CHECK(record.database.wait(record.store->find_by_name("ada")).error() ==
          store_errc::dependency_unavailable);
    CHECK(existing(record, {{id, id}}).error() == store_errc::dependency_unavailable);
}

TEST_CASE("user directory: a known user is known without the store, an unknown one is not") {
    user_record record(each_database());
    const std::int64_t id = record.create("ada", 0, "k")->who.id;
    const auto directory = user::make_directory(*record.store, {});
    const auto exists = [&](std::int64_t asked) {
        std::optional<std::expected<bool, user::errc>> answer;
        directory->exists(asked, [&](auto found) { answer = found; });
        record.database.run_until([&] { return answer.has_value(); });
        return *answer;
    };
    CHECK(exists(id) == true);
    CHECK(exists(id + 1) == false);
    record.database.stop();
    CHECK(exists(id) == true);
    CHECK(exists(id + 1).error() == user::errc::dependency_unavailable);
}
