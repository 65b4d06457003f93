// Lists of orders as CSV: the same orders, all of them, in a stream.

#include <flashsale/base/time.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "download.hpp"
#include "gates.hpp"
#include "shop.hpp"

using namespace flashsale;
using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

const http_client::headers csv{{"Accept", "text/csv"}};
constexpr std::string_view header_line =
    "id,user_id,product_id,quantity,unit_price,currency,order_status,created_at,expires_at";

std::string user_list(std::int64_t user) {
    return "/v1/users/" + std::to_string(user) + "/orders";
}

std::string product_list(std::int64_t product) {
    return "/v1/products/" + std::to_string(product) + "/orders";
}

/// The lines behind the header line; each ends with CR LF.
std::vector<std::string> lines_of(const http_response& answer) {
    std::vector<std::string> out;
    for (std::size_t at = 0, end = 0; at < answer.body.size(); at = end + 2) {
        end = answer.body.find("\r\n", at);
        REQUIRE(end != std::string::npos);
        out.push_back(answer.body.substr(at, end - at));
    }
    REQUIRE_FALSE(out.empty());
    CHECK(out.front() == header_line);
    out.erase(out.begin());
    return out;
}

std::vector<std::string> ids_of(const http_response& answer) {
    std::vector<std::string> out;
    for (const std::string& line : lines_of(answer))
        out.push_back(line.substr(0, line.find(',')));
    return out;
}

/// The line of an order that was answered as JSON.
std::string line_of(const json::value& order) {
    const auto text = [&](const char* name) { return std::string(order.at(name).as_string()); };
    const auto number = [&](const char* name) { return std::to_string(order.at(name).as_int64()); };
    return text("id") + "," + number("user_id") + "," + number("product_id") + "," +
           number("quantity") + "," + number("unit_price") + "," + text("currency") + "," +
           text("order_status") + "," + text("created_at") + ",";  // it was sold outright
}

std::int64_t anonymous_kilobytes(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssAnon:")) return std::stoll(line.substr(8));
    }
    throw std::runtime_error("no RssAnon of process " + std::to_string(process));
}

constexpr std::int64_t a_million = 1'000'000;

/// Orders of one user for one product, as a recorder would have left them; none was ever accepted.
void record_a_million(const sandbox& world, std::int64_t user, std::int64_t product) {
    const std::string columns =
        "(id, user_id, product_id, quantity, unit_price, order_status, idempotency_key,"
        " epoch, seq, created_at, recorded)";
    const std::string values =
        std::to_string(user) + ", " + std::to_string(product) + ", 1, 1999, 'SUCCESS', ";
    if (world.kind() == composition::stack) {
        world.sql(sandbox::database::order, "INSERT INTO orders " + columns +
                                                " SELECT lpad(i::text, 32, '0')::uuid, " + values +
                                                "lpad(i::text, 9, '0'), 1, i, now(), i" +
                                                " FROM generate_series(1, 1000000) i");
    } else {
        world.sql(sandbox::database::order,
                  "INSERT INTO orders " + columns +
                      " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                      " WHERE i < 1000000) SELECT CAST(printf('%016d', i) AS BLOB), " +
                      values + "printf('%09d', i), 1, i, 1800000000000000 + i, i FROM n");
    }
}

struct counted {
    std::int64_t lines = 0;
    bool in_order = true;  ///< each id greater than the one before: none twice
    std::int64_t most_kilobytes = 0;
    bool whole = false;
};

counted count_lines(const flashsale_process& shop, pid_t process, const std::string& path) {
    download body(shop.port(), path, csv);
    REQUIRE(body.status() == 200);
    counted out;
    std::string rest, last;
    for (std::string_view got = body.next(); !got.empty(); got = body.next()) {
        rest.append(got);
        std::size_t at = 0;
        for (std::size_t end; (end = rest.find("\r\n", at)) != std::string::npos; at = end + 2) {
            std::string id = rest.substr(at, rest.find(',', at) - at);
            if (out.lines++ > 0) {
                out.in_order = out.in_order && last < id;
                last = std::move(id);
            }
            if (out.lines % 10'000 == 0)
                out.most_kilobytes = std::max(out.most_kilobytes, anonymous_kilobytes(process));
        }
        rest.erase(0, at);
    }
    out.whole = body.whole() && rest.empty();
    return out;
}

void check_a_million(const sandbox& world, flashsale_process& shop, std::int64_t user,
                     std::int64_t product) {
    auto client = shop.client();
    record_a_million(world, user, product);
    for (const std::string& list : {product_list(product), user_list(user)}) {
        INFO(list);
        REQUIRE(client.get(list + "?limit=1").status == 200);
        const auto before = anonymous_kilobytes(shop.pid());
        const counted all = count_lines(shop, shop.pid(), list);
        CHECK(all.whole);
        CHECK(all.lines == 1 + a_million);
        CHECK(all.in_order);
        CHECK(all.most_kilobytes > 0);
        CHECK(all.most_kilobytes - before < 16 * 1'024);
    }
}

}  // namespace

TEST_CASE("csv: a list has the same orders as in JSON, all of them, for whoever asks for it") {
    const sandbox world(with_gate(redis_or_memory()));
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto users = make_users(client, 2);
    const auto product = make_product(client, 1'000), other = make_product(client, 1'000);
    for (int i = 0; i < 60; ++i)  // more than a page of JSON
        REQUIRE(outcome(place_order(client, users[0], i % 2 ? product : other, 1 + i % 3)) ==
                "201");
    REQUIRE(outcome(place_order(client, users[1], product, 1)) == "201");
    REQUIRE(audit_fault(world) == "");

    for (const std::string& list : {user_list(users[0]), product_list(product)}) {
        INFO(list);
        std::vector<std::string> expected;
        const auto page = client.get(list + "?limit=100").json();
        for (const auto& one : page.at("items").as_array())
            expected.push_back(line_of(one));
        const auto answer = client.get(list, csv);
        CHECK(answer.status == 200);
        CHECK(answer.header("content-type") == "text/csv; charset=utf-8; header=present");
        CHECK(answer.header("transfer-encoding") == "chunked");
        CHECK(answer.header("vary") == "Accept");
        CHECK(answer.header("cache-control") == "no-store");
        CHECK_FALSE(answer.header("x-request-id").empty());
        const auto until = parse_rfc3339(answer.header("complete-until"));
        REQUIRE(until.has_value());
        CHECK(*until <= wall_clock_now() + 1ms);
        const auto lines = lines_of(answer);
        CHECK(lines.size() == expected.size());
        CHECK(std::ranges::is_permutation(lines, expected));
        if (list == product_list(product)) CHECK(lines == expected);

        client.send_raw("GET " + list + " HTTP/1.0\r\nAccept: text/csv\r\n\r\n");
        CHECK(client.read_response().body == answer.body);
        for (const std::string accept : {"*/*", "application/json", "text/html", "text/csv;q=0"}) {
            const auto as_json = client.get(list, {{"Accept", accept}});
            CHECK(as_json.header("content-type") == "application/json");
            CHECK(as_json.header("vary") == "Accept");
            CHECK(as_json.json().at("items").as_array().size() > 30);
        }
        for (const std::string query : {"limit=10", "cursor=1", "limit=1&cursor=1"}) {
            const auto refused = client.get(list + "?" + query, csv);
            CHECK(outcome(refused) == "400 bad_request");
            CHECK(refused.json().at("field").as_string() == query.substr(0, query.find('=')));
            CHECK(refused.header("vary") == "Accept");
        }
    }
    // A user without orders, and one who is none.
    const auto third = make_user(client, "w");
    CHECK(lines_of(client.get(user_list(third), csv)).empty());
    CHECK(lines_of(client.get(product_list(make_product(client, 1)), csv)).empty());
    CHECK(outcome(client.get(user_list(third + 1'000), csv)) == "404 user_not_found");
    CHECK(outcome(client.get(product_list(other + 1'000), csv)) == "404 product_not_found");
    CHECK(outcome(client.get("/v1/users/x/orders", csv)) == "404 user_not_found");
}

TEST_CASE("csv: what waits for the record is in a user's list, and nothing is in it twice") {
    const sandbox world({{"FLASHSALE_RECORDER__ENABLED", "false"}});
    const flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 3'000);
    std::vector<std::string> placed;
    for (int i = 0; i < 5; ++i)
        placed.push_back(order_id(place_order(client, user, product, 1)));
    const auto waits = client.get(user_list(user), csv);
    CHECK(std::ranges::is_permutation(ids_of(waits), placed));
    CHECK(lines_of(client.get(product_list(product), csv)).empty());
    {
        const flashsale_process writer(world, {{"FLASHSALE_RECORDER__ENABLED", "true"}});
        REQUIRE(audit_fault(world) == "");
    }
    // What this process read of the outbox may be old: then they are recorded, and in that too.
    CHECK(std::ranges::is_permutation(ids_of(client.get(user_list(user), csv)), placed));
    placed.push_back(order_id(place_order(client, user, product, 1)));
    REQUIRE(eventually(60s, [&] {
        return std::ranges::is_permutation(ids_of(client.get(user_list(user), csv)), placed);
    }));
    CHECK(ids_of(client.get(product_list(product), csv)).size() == 5);
}

TEST_CASE("csv: a million orders, of a product and of a user, in constant memory") {
    const sandbox world;
    flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    const auto product = make_product(client, 10);
    check_a_million(world, shop, user, product);

    // A record that is gone in the middle: what was sent is no whole list, and says so.
    download half(shop.port(), product_list(product),
                  {{"Accept", "text/csv"}, {"X-Request-Id", "the-half"}});
    REQUIRE(half.status() == 200);
    world.sql(sandbox::database::order, "ALTER TABLE orders RENAME TO gone");
    while (!half.next().empty()) {
    }
    CHECK_FALSE(half.whole());
    CHECK(eventually(20s, [&] {
        return shop.log().find("request the-half: its answer is cut off") != std::string::npos;
    }));
    world.sql(sandbox::database::order, "ALTER TABLE gone RENAME TO orders");
}

TEST_CASE("csv: embedded, a million orders in constant memory") {
    environment variables = with_gate("memory");
    variables["FLASHSALE_SQLITE__CACHE_KILOBYTES"] = "1024";  // which a long list fills, once
    const sandbox world(variables);
    flashsale_process shop(world);
    auto client = shop.client();
    const auto user = make_user(client, "u");
    check_a_million(world, shop, user, make_product(client, 10));
}
