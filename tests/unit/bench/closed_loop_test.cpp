#include "load/closed_loop.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <thread>

#include "fake_shop.hpp"
#include "load/order_stream.hpp"
#include "site/shop.hpp"

using namespace flashsale;
using namespace flashsale::bench;
using asio::ip::tcp;
using flashsale::test::fake_shop;
using flashsale::test::lies;

namespace {

constexpr std::string_view refusal = R"({"status":400,"code":"out_of_stock"})";

/// Takes one connection, and answers so many requests only when it has them all: to one that
/// comes alone, never. The first answer comes in two pieces. Ends when the client closes.
class patient_server {
public:
    explicit patient_server(std::size_t together)
        : thread_{[this, together] {
              tcp::socket client{io_};
              acceptor_.accept(client);
              boost::system::error_code fault;
              std::string read;
              while (true) {
                  for (std::size_t i = 0; i < together; ++i) {
                      const auto end = asio::read_until(client, asio::dynamic_buffer(read),
                                                        "\"quantity\":1}", fault);
                      if (fault) return;
                      read.erase(0, end);
                      ++requests_;
                  }
                  answer(client, together);
              }
          }} {}

    target to() const {
        const auto port = std::to_string(acceptor_.local_endpoint().port());
        return *parse_target("http://127.0.0.1:" + port);
    }
    std::size_t requests() {
        thread_.join();
        return requests_;
    }

private:
    static void answer(tcp::socket& client, std::size_t times) {
        std::string all;
        for (std::size_t i = 0; i < times; ++i) {
            all += "HTTP/1.1 400 Bad Request\r\nContent-Length: " + std::to_string(refusal.size()) +
                   "\r\n\r\n";
            all += refusal;
        }
        asio::write(client, asio::buffer(all.data(), 30));
        asio::write(client, asio::buffer(all.data() + 30, all.size() - 30));
    }

    asio::io_context io_;
    tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
    std::size_t requests_ = 0;
    std::jthread thread_;
};

struct sold {
    order_stream::tally counts;
    std::size_t unsure;
    load_result ran;
};

/// So many orders, by eights on one connection.
sold sell(const lies& told, std::size_t orders) {
    fake_shop shop{told};
    load_options load;
    load.targets = {*parse_target("http://127.0.0.1:" + std::to_string(shop.port()))};
    load.connections = 1;
    const auto users = *create_users(load, "r", 5, nullptr);
    const auto products = *create_products(load, "r", {{100, {}}}, nullptr);
    order_stream stream{
        {.users = users, .products = {{products[0], 100, {}}}, .run = "r", .requests_max = orders}};
    load.pipelined = 8;
    auto ran = run_closed_loop(load, stream);
    return {stream.totals(), stream.known().unsure.size(), std::move(ran)};
}

}  // namespace

TEST_CASE("closed loop: pipelined requests are sent together, and all are answered") {
    patient_server server{4};
    load_options load;
    load.targets = {server.to()};
    load.connections = 1;
    load.pipelined = 4;
    const std::vector<std::int64_t> users{1};
    order_stream stream{{.users = users, .products = {{1, 0, {}}}, .run = "r", .requests_max = 40}};
    const auto ran = run_closed_loop(load, stream);
    CHECK(ran.failure == "");
    CHECK(ran.tries == 40);
    CHECK(ran.broken_tries == 0);
    CHECK(stream.totals().refused == 40);
    CHECK(server.requests() == 40);
}

TEST_CASE("closed loop: the last of pipelined requests may be fewer") {
    const auto found = sell({}, 21);
    CHECK(found.counts.accepted == 21);
    CHECK(found.ran.tries == 21);
}

TEST_CASE("closed loop: what was pipelined behind a lost answer is unknown, and not tried again") {
    // The third of the first eight, and then of those that are sent on the next connection.
    const auto found = sell({.hang_up_every = 3}, 16);
    CHECK(found.ran.failure == "");
    CHECK(found.ran.tries == 16);
    CHECK(found.ran.broken_tries == 12);
    CHECK(found.counts.accepted == 4);
    CHECK(found.counts.unknown == 12);
    CHECK(found.unsure == 12);
}
