#include "http_client.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "fake_shop.hpp"

using namespace flashsale::test;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// Answers the n-th connection with the n-th text, whole, after the first request's head; then
/// closes it.
class scripted_server {
public:
    explicit scripted_server(std::vector<std::string> answers)
        : thread_{[this, texts = std::move(answers)] {
              for (const auto& text : texts) {
                  auto socket = acceptor_.accept();
                  std::string head;
                  boost::system::error_code ignored;
                  asio::read_until(socket, asio::dynamic_buffer(head), "\r\n\r\n", ignored);
                  asio::write(socket, asio::buffer(text), ignored);
              }
          }} {}

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    asio::io_context io_;
    tcp::acceptor acceptor_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    std::jthread thread_;
};

}  // namespace

TEST_CASE("http client: JSON both ways on one connection") {
    fake_shop shop;
    http_client client{shop.port()};
    const auto user = client.post("/v1/users", boost::json::object{{"username", "a"}});
    CHECK(user.status == 201);
    CHECK(user.json().at("username") == "a");
    const auto product = client.post("/v1/products", R"({"name":"p","price":1,"stock":1})");
    const auto order = boost::json::object{{"user_id", user.json().at("id")},
                                           {"product_id", product.json().at("id")},
                                           {"quantity", 1}};
    const auto bought = client.post("/v1/orders", order, {{"Idempotency-Key", "k"}});
    CHECK(bought.status == 201);
    CHECK(bought.header("location") ==
          "/v1/orders/" + std::string{bought.json().at("id").as_string()});
    const auto again = client.post("/v1/orders", order, {{"Idempotency-Key", "k"}});
    CHECK(again.header("idempotent-replayed") == "true");
    CHECK(again.body == bought.body);
    const auto refused = client.post("/v1/orders", order, {{"Idempotency-Key", "l"}});
    CHECK(refused.status == 400);
    CHECK(refused.code() == "out_of_stock");
    CHECK_FALSE(client.closed_by_server(std::chrono::milliseconds{20}));
}

TEST_CASE("http client: bytes as they are, and answers one by one") {
    fake_shop shop;
    http_client client{shop.port()};
    const std::string one = "POST /v1/nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    client.send_raw(one + one);
    CHECK(client.read_response().status == 404);
    CHECK(client.read_response().code() == "not_found");
    client.send_raw("nonsense\r\n\r\n");
    CHECK(client.closed_by_server(std::chrono::seconds{60}));
    CHECK(client.post("/v1/nothing", "{}").status == 404);  // on a new connection
}

TEST_CASE("http client: opens anew after the server closed, and ends in time") {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Word: y\r\n\r\nhi";
    scripted_server server{{answer, answer, ""}};
    http_client client{server.port()};
    CHECK(client.get("/").body == "hi");
    CHECK(client.closed_by_server(std::chrono::seconds{60}));
    CHECK(client.get("/").header("x-word") == "y");
    CHECK(client.closed_by_server(std::chrono::seconds{60}));
    CHECK_THROWS_WITH(client.get("/"), Catch::Contains("no answer from"));

    fake_shop shop;
    http_client patient{shop.port(), "127.0.0.1", std::chrono::milliseconds{50}};
    patient.send_raw("POST /v1/users HTTP/1.1\r\n");
    CHECK_THROWS_WITH(patient.read_response(), Catch::Contains("no answer from"));
}
