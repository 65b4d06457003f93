// The embedded process and its folder: who may use it, which version it is of, and when it is full.

#include <catch2/catch.hpp>

#include <fstream>
#include <set>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* files[] = {"user.db", "stock.db", "order.db", "log.db"};

std::string bytes_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool says(const finished& command, const std::string& words) {
    return command.output.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("embedded: a second process on one folder is refused, and told who has it") {
    const sandbox world(composition::embedded);
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto user = make_user(client, "u"), product = make_product(client, 10);
    std::string holder = bytes_of(world.folder() / "lock");
    holder.erase(holder.find('\n'));
    for (const char* command : {"serve", "migrate"}) {
        const auto second = world.flashsale({command});
        INFO(command << ": " << second.output);
        CHECK(second.exit_code == 3);
        CHECK(says(second, "another flashsale process uses this folder, pid " + holder));
    }
    CHECK(place_order(client, user, product, 1).status == 201);
    // To look is free.
    CHECK(audit_fault(world) == "");

    shop->kill(SIGKILL);
    REQUIRE(shop->wait(60s) == 128 + SIGKILL);
    shop.emplace(world);
    client = shop->client();
    CHECK(available(client, product) == 9);
}

TEST_CASE("embedded: a file of a newer version is refused, and left as it is") {
    const sandbox world(composition::embedded);
    for (const char* name : files) {
        const auto file = world.folder() / name;
        run_sqlite(file,
                   "INSERT INTO schema_migrations VALUES (99, '0099_tomorrow', 'checksum', 0)");
        const std::string before = bytes_of(file);
        for (const char* command : {"serve", "migrate", "audit"}) {
            const auto refused = world.flashsale({command});
            INFO(name << " " << command << ": " << refused.output);
            CHECK(refused.exit_code == 3);
            CHECK(says(refused, name));
            CHECK(says(refused, "0099_tomorrow"));
            CHECK(says(refused, "newer"));
        }
        CHECK(bytes_of(file) == before);
        run_sqlite(file, "DELETE FROM schema_migrations WHERE version = 99");
    }
    const flashsale_process shop(world);
    auto client = shop.client();
    CHECK(client.get("/readyz").status == 200);
}

TEST_CASE("embedded: a full disk is answered 503, loses nothing, and sells again with room") {
    small_disk disk(24 << 20);
    const sandbox world(composition::embedded,
                        {{"FLASHSALE_SQLITE__FOLDER", (disk / "data").string()}});
    // Whether it lives through it, or is killed in the middle of it.
    const bool killed = GENERATE(false, true);
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto users = make_users(client, 50);
    const std::int64_t supplied = 100'000;
    const auto product = make_product(client, supplied);

    std::map<std::string, std::string> accepted;
    std::set<std::string> unknown, codes;
    const auto order = [&](const std::string& key) {
        const std::int64_t user = users[std::hash<std::string>{}(key) % users.size()];
        const auto answer = place_order(client, user, product, 1, key);
        codes.insert(outcome(answer));
        if (answer.status == 201) {
            const auto [known, fresh] = accepted.try_emplace(key, order_id(answer));
            CHECK(known->second == order_id(answer));
            unknown.erase(key);
        } else {
            unknown.insert(key);
        }
        return answer.status;
    };
    for (int i = 0; i < 100; ++i)
        REQUIRE(order("before-" + std::to_string(i)) == 201);
    disk.fill();
    int refused = 0;
    for (int i = 0; i < 3'000 && refused < 20; ++i) {
        if (order("full-" + std::to_string(i)) != 201) ++refused;
    }
    CHECK(refused == 20);
    for (const std::string& code : codes) {
        INFO(code);
        CHECK((code == "201" || code == "503 outcome_unknown" ||
               code == "503 dependency_unavailable"));
    }
    CHECK(client.get("/readyz?verbose").status == 503);
    CHECK(client.get("/v1/users/" + std::to_string(users[0])).status == 200);
    CHECK(client.get("/v1/orders/" + accepted.begin()->second).status == 200);
    // The file of users may have room in its log for one more; then it has none either.
    http_response last{201, {}, {}};
    for (int i = 0; i < 1'000 && last.status == 201; ++i)
        last = client.post("/v1/users", json::value{{"username", "late " + std::to_string(i)}});
    CHECK(outcome(last) == "503 dependency_unavailable");

    if (killed) {
        shop->kill(SIGKILL);
        REQUIRE(shop->wait(60s) == 128 + SIGKILL);
        disk.empty();
        shop.emplace(world);
        client = shop->client();
    } else {
        disk.empty();
    }
    REQUIRE(eventually(60s, [&] { return order("after") == 201; }));
    CHECK(eventually(60s, [&] { return client.get("/readyz").status == 200; }));
    for (const std::string& key : std::set<std::string>(unknown))
        CHECK(order(key) == 201);
    CHECK(audit_fault(world) == "");
    std::set<std::string> recorded;
    for (const auto& row : world.sql(sandbox::database::order, "SELECT id FROM orders"))
        recorded.insert(*row[0]);
    CHECK(recorded.size() == accepted.size());
    for (const auto& [key, id] : accepted)
        CHECK(recorded.contains(id));
    CHECK(available(client, product) == supplied - std::ssize(accepted));
}
