// Balances over HTTP: each deposit once, whatever becomes of its answer, and all of them the
// balance.

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "fault_proxy.hpp"
#include "gates.hpp"
#include "shop.hpp"
#include "url_port.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

std::string path_of(std::int64_t user, const std::string& rest = {}) {
    return "/v1/users/" + std::to_string(user) + rest;
}

http_response deposit(http_client& client, std::int64_t user, std::int64_t amount,
                      const std::string& key = {}) {
    http_client::headers headers;
    if (!key.empty()) headers.emplace_back("Idempotency-Key", key);
    return client.post(path_of(user, "/deposits"), json::value{{"amount", amount}}, headers);
}

std::int64_t balance(http_client& client, std::int64_t user) {
    return client.get(path_of(user)).json().at("balance").as_int64();
}

std::vector<json::value> entries(http_client& client, std::int64_t user) {
    std::vector<json::value> out;
    for (std::string cursor;;) {
        const auto page = client.get(path_of(user, "/entries?limit=100" + cursor)).json();
        for (const auto& one : page.at("items").as_array())
            out.push_back(one);
        if (page.at("next_cursor").is_null()) return out;
        cursor = "&cursor=" + std::string(page.at("next_cursor").as_string());
    }
}

/// The balance of the user, if each entry has what the one before it left, and what it adds.
std::int64_t added_up(http_client& client, std::int64_t user) {
    const auto all = entries(client, user);
    std::int64_t sum = 0;
    for (auto one = all.rbegin(); one != all.rend(); ++one) {
        sum += one->at("amount").as_int64();
        CHECK(one->at("balance").as_int64() == sum);
    }
    CHECK(balance(client, user) == sum);
    return sum;
}

}  // namespace

TEST_CASE("balance: a deposit is made once per key, and listed newest first") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user =
        client.post("/v1/users", R"({"username":"ada","balance":500})", {{"Idempotency-Key", "k"}})
            .json()
            .at("id")
            .as_int64();
    const auto made = deposit(client, user, 250, "k");
    REQUIRE(outcome(made) == "201");
    CHECK(made.header("idempotency-key") == "k");
    CHECK(made.header("idempotent-replayed").empty());
    CHECK(made.header("cache-control") == "no-store");
    CHECK(made.json().at("user_id").as_int64() == user);
    CHECK(made.json().at("kind").as_string() == "deposit");
    CHECK(made.json().at("amount").as_int64() == 250);
    CHECK(made.json().at("balance").as_int64() == 750);
    const auto issued = deposit(client, user, 1);
    REQUIRE(outcome(issued) == "201");
    CHECK(deposit(client, user, 1, issued.header("idempotency-key")).body == issued.body);

    const auto again = deposit(client, user, 250, "k");
    CHECK(outcome(again) == "201");
    CHECK(again.body == made.body);
    CHECK(again.header("idempotent-replayed") == "true");
    const auto other = deposit(client, user, 251, "k");
    CHECK(outcome(other) == "422 idempotency_key_reused");
    CHECK(other.header("idempotency-key") == "k");
    CHECK(outcome(deposit(client, user, 9'007'199'254'740'991, "high")) == "409 balance_too_high");

    // The user's own creation is repeated as it was.
    const auto created =
        client.post("/v1/users", R"({"username":"ada","balance":500})", {{"Idempotency-Key", "k"}});
    CHECK(created.header("idempotent-replayed") == "true");
    CHECK(created.json().at("balance").as_int64() == 500);

    const auto all = entries(client, user);
    REQUIRE(all.size() == 3);
    CHECK(json::serialize(all[0]) == issued.body);
    CHECK(json::serialize(all[1]) == made.body);
    CHECK(all[2].at("kind").as_string() == "starting");
    CHECK(all[2].at("created_at") == client.get(path_of(user)).json().at("created_at"));
    CHECK(added_up(client, user) == 751);
    const auto page = client.get(path_of(user, "/entries?limit=1")).json();
    CHECK(page.at("next_cursor").as_string() == std::to_string(all[0].at("id").as_int64()));
    CHECK(client.get(path_of(make_user(client, "eve"), "/entries")).body ==
          R"({"items":[],"next_cursor":null})");
    CHECK(audit_fault(world) == "");
}

TEST_CASE("balance: entries as CSV are those of the pages, all of them") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto users = make_users(client, 2);
    for (int i = 1; i <= 1'050; ++i)  // more than are read at a time
        REQUIRE(outcome(deposit(client, users[0], i)) == "201");
    std::string expected = "id,user_id,kind,amount,balance,created_at,order_id,payment_id\r\n";
    const std::string header_line = expected;
    for (const auto& one : entries(client, users[0])) {
        for (const char* name : {"id", "user_id", "kind", "amount", "balance", "created_at"}) {
            const auto& value = one.at(name);
            expected += value.is_string() ? std::string(value.as_string())
                                          : std::to_string(value.as_int64());
            expected += name == std::string("created_at") ? ",,\r\n" : ",";
        }
    }
    const auto csv = client.get(path_of(users[0], "/entries"), {{"Accept", "text/csv"}});
    CHECK(csv.status == 200);
    CHECK(csv.header("content-type") == "text/csv; charset=utf-8; header=present");
    CHECK(csv.body == expected);
    CHECK(client.get(path_of(users[1], "/entries"), {{"Accept", "text/csv"}}).body == header_line);
}

TEST_CASE("balance: deposits at once, through two processes, are all added, each once") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    std::optional<flashsale_process> other;
    if (world.kind() == composition::stack) other.emplace(world);
    auto setup = shop.client();
    const auto user = make_user(setup, "u");
    // Each key by two threads.
    const auto answers = parallel(8, [&](std::size_t thread) {
        auto client = other && thread % 2 == 1 ? other->client() : shop.client();
        std::vector<std::string> out;
        for (int i = 0; i < 40; ++i) {
            const auto key = std::to_string(thread / 2) + "-" + std::to_string(i);
            const auto made = deposit(client, user, 1 + i, key);
            out.push_back(outcome(made) == "201" ? made.body : outcome(made));
        }
        return out;
    });
    for (std::size_t thread = 0; thread < answers.size(); thread += 2)
        CHECK(answers[thread] == answers[thread + 1]);
    CHECK(added_up(setup, user) == 4 * 40 * 41 / 2);
    CHECK(entries(setup, user).size() == 4 * 40);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("balance: killed under deposits, the keys settle what is unknown") {
    const sandbox world(with_gate(redis_or_memory()));
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto user = make_user(client, "u");
    constexpr int threads = 4;
    std::atomic<int> answered{0};
    std::vector<int> sent(threads, 0);
    {
        std::vector<std::jthread> load;
        for (std::size_t thread = 0; thread < threads; ++thread) {
            load.emplace_back([&, thread] {
                auto mine = shop->client();
                try {
                    while (true) {
                        ++sent[thread];
                        const auto key =
                            std::to_string(thread) + "-" + std::to_string(sent[thread]);
                        if (deposit(mine, user, 3, key).status == 201) ++answered;
                    }
                } catch (const std::runtime_error&) {
                    return;  // it is gone
                }
            });
        }
        CHECK(eventually(60s, [&] { return answered > 100; }));
        shop->kill(SIGKILL);
    }
    REQUIRE(shop->wait(60s) == 128 + SIGKILL);
    shop.emplace(world);
    client = shop->client();
    CHECK(added_up(client, user) >= 3 * answered);
    std::int64_t all = 0;
    for (std::size_t thread = 0; thread < threads; ++thread) {
        for (int i = 1; i <= sent[thread]; ++i, ++all)
            CHECK(outcome(deposit(client, user, 3,
                                  std::to_string(thread) + "-" + std::to_string(i))) == "201");
    }
    CHECK(added_up(client, user) == 3 * all);
    CHECK(audit_fault(world) == "");
}

TEST_CASE("balance: a reply that is lost is unknown, and the key settles it") {
    const sandbox world;
    const auto url = world.url(sandbox::database::user);
    fault_proxy way("127.0.0.1", port_of(url));
    const flashsale_process shop(world,
                                 {{"FLASHSALE_POSTGRES__USER_URL", with_port(url, way.port())}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    REQUIRE(outcome(deposit(client, user, 1)) == "201");  // the statement is known from here on
    way.cut_reply(1, "the-key");
    const auto unknown = deposit(client, user, 20, "the-key");
    CHECK(way.replies_cut() == 1);
    CHECK(outcome(unknown) == "503 outcome_unknown");
    CHECK(unknown.header("idempotency-key") == "the-key");
    CHECK_FALSE(unknown.header("retry-after").empty());
    http_response settled;
    REQUIRE(eventually(60s, [&] {
        settled = deposit(client, user, 20, "the-key");
        return settled.status == 201;
    }));
    CHECK(settled.header("idempotent-replayed") == "true");
    CHECK(settled.json().at("balance").as_int64() == 21);
    CHECK(added_up(client, user) == 21);
}

TEST_CASE("balance: a deposit that the database cannot take is 503, with the key to ask again") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world, {{"FLASHSALE_POSTGRES__LOCK_TIMEOUT_MS", "100"},
                                         {"FLASHSALE_SQLITE__BUSY_TIMEOUT_MS", "100"}});
    auto client = shop.client();
    const auto user = make_user(client, "u");
    std::string key;
    {
        std::optional<table_lock> table;
        std::optional<sqlite_write_lock> file;
        if (world.kind() == composition::stack) {
            table.emplace(world.url(sandbox::database::user), "balance_entries");
        } else {
            file.emplace(world.folder() / "user.db");
        }
        const auto refused = deposit(client, user, 20);
        CHECK(outcome(refused) == "503 dependency_unavailable");
        CHECK_FALSE(refused.header("retry-after").empty());
        key = refused.header("idempotency-key");
        CHECK_FALSE(key.empty());
        CHECK(balance(client, user) == 0);
    }
    const auto made = deposit(client, user, 20, key);
    CHECK(outcome(made) == "201");
    CHECK(made.header("idempotent-replayed").empty());
    CHECK(added_up(client, user) == 20);
}
