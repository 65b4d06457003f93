// How it becomes ready, and what it says when it cannot.

#include "connected.hpp"

using namespace flashsale;
using namespace flashsale::redis;
using test::connected;
using namespace std::chrono_literals;

namespace {

std::string host_and_port() {
    const std::string url = test::server_url();
    const auto start = url.find("//") + 2;
    return url.substr(start, url.find('/', start) - start);
}

/// A server that answers each PING with the next line of a play; the last one stays.
class scripted_server {
public:
    scripted_server(asio::io_context& io, std::vector<std::string> play)
        : acceptor_(io, {asio::ip::make_address("127.0.0.1"), 0}), play_(std::move(play)) {
        accept();
    }

    std::string url() const {
        return "redis://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    }
    std::size_t connections() const { return accepted_at.size(); }

    std::vector<std::chrono::steady_clock::time_point> accepted_at;

private:
    void accept() {
        acceptor_.async_accept([this](auto ec, asio::ip::tcp::socket socket) {
            if (ec) return;
            accepted_at.push_back(std::chrono::steady_clock::now());
            sockets_.push_back(std::make_unique<asio::ip::tcp::socket>(std::move(socket)));
            answer(*sockets_.back());
            accept();
        });
    }

    void answer(asio::ip::tcp::socket& socket) {
        socket.async_read_some(asio::buffer(buffer_), [this, &socket](auto ec, std::size_t) {
            if (ec) return;
            asio::write(socket, asio::buffer(play_.front()));
            if (play_.size() > 1) play_.erase(play_.begin());
            answer(socket);
        });
    }

    asio::ip::tcp::acceptor acceptor_;
    std::vector<std::string> play_;
    std::vector<std::unique_ptr<asio::ip::tcp::socket>> sockets_;
    std::array<char, 1024> buffer_;
};

}  // namespace

TEST_CASE("redis connect: by name, and to a database of its own") {
    std::string url = host_and_port();
    url = "redis://localhost" + url.substr(url.rfind(':'));
    connected c(options{.url = url + "/1"});
    REQUIRE(c.run_until([&] { return c.client.ready(); }));
    CHECK(c.client.fault().empty());
    CHECK(c.call({"CLIENT", "INFO"})->text.find(" db=1 ") != std::string::npos);
}

TEST_CASE("redis connect: a wrong password is named as such") {
    connected c(options{.url = "redis://nobody:wrong@" + host_and_port()});
    REQUIRE(c.run_until([&] { return c.client.fault().starts_with("AUTH: "); }));
    CHECK_FALSE(c.client.ready());
    CHECK_THAT(c.client.fault(), Catch::Contains("WRONGPASS"));
    const auto refused = c.call({"PING"});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == error::kind::unavailable);
    CHECK_THAT(refused.error().message, Catch::Contains("WRONGPASS"));
}

TEST_CASE("redis connect: a server without AUTH repeats the password, and that goes no further") {
    asio::io_context io;
    scripted_server server(
        io, {"-ERR unknown command 'AUTH', with args beginning with: 'hunter2' \r\n+PONG\r\n"});
    client told(io, options{.url = "redis://:hunter2@" + server.url().substr(8)});
    told.start();
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!told.fault().starts_with("AUTH: ") && std::chrono::steady_clock::now() < until)
        io.run_one_for(10ms);
    CHECK_THAT(told.fault(), Catch::StartsWith("AUTH: ERR (the rest is not shown"));
    CHECK_THAT(told.fault(), !Catch::Contains("hunter2"));
    told.stop();
}

TEST_CASE("redis connect: a database that does not exist is named as such") {
    connected c(options{.url = "redis://" + host_and_port() + "/999999"});
    REQUIRE(c.run_until([&] { return c.client.fault().starts_with("SELECT: "); }));
    CHECK_FALSE(c.client.ready());
}

TEST_CASE("redis connect: nobody listens there, and the name does not exist") {
    connected refused(options{.url = "redis://127.0.0.1:1"});
    REQUIRE(
        refused.run_until([&] { return refused.client.fault().starts_with("cannot connect"); }));
    connected unknown(options{.url = "redis://no-such-host.invalid"});
    REQUIRE(
        unknown.run_until([&] { return unknown.client.fault().starts_with("cannot resolve"); }));
    connected no_socket(options{.url = "unix:///no/such/socket"});
    REQUIRE(no_socket.run_until(
        [&] { return no_socket.client.fault().starts_with("cannot connect"); }));
}

TEST_CASE("redis connect: a server that loads its data is asked again until it is done") {
    connected c(options{.url = "redis://127.0.0.1:1"});
    scripted_server server(c.io,
                           {"-LOADING Redis is loading the dataset in memory\r\n",
                            "-LOADING Redis is loading the dataset in memory\r\n", "+PONG\r\n"});
    client loading(c.io, options{.url = server.url()});
    loading.start();
    REQUIRE(c.run_until([&] { return loading.fault().find("LOADING") != std::string::npos; }));
    CHECK_FALSE(loading.ready());
    REQUIRE(c.run_until([&] { return loading.ready(); }));
    CHECK(server.connections() == 3);
    loading.stop();
}

TEST_CASE("redis connect: a server that accepts and says nothing is given up in time") {
    asio::io_context io{1};
    asio::ip::tcp::acceptor silent(io, {asio::ip::make_address("127.0.0.1"), 0});
    const std::string url = "redis://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
    connected c(options{.url = url, .connect_timeout = 200ms});
    client patient(c.io, options{.url = url, .connect_timeout = 1h});
    patient.start();
    const auto given_up = [](const client& one) {
        return one.fault().find("timeout") != std::string::npos;
    };
    REQUIRE(c.run_until([&] { return given_up(c.client); }));
    CHECK_FALSE(given_up(patient));
    patient.stop();
}

TEST_CASE("redis connect: what is no Redis is named as such") {
    connected c(options{.url = "redis://127.0.0.1:1"});
    scripted_server server(c.io, {"HTTP/1.1 400 Bad Request\r\n\r\n"});
    client confused(c.io, options{.url = server.url()});
    confused.start();
    REQUIRE(c.run_until([&] { return confused.fault().starts_with("protocol error"); }));
    confused.stop();
}

TEST_CASE("redis connect: attempts become rarer, up to a limit") {
    connected c(options{.url = "redis://127.0.0.1:1"});
    scripted_server server(c.io, {"-ERR max number of clients reached\r\n"});
    client turned_away(c.io, options{.url = server.url()});
    turned_away.start();
    REQUIRE(c.run_until([&] { return server.connections() == 7; }));
    turned_away.stop();
    // At once, then after 25..50, 50..100, 100..200, 200..400, 400..800 ms.
    auto least = 25ms;
    for (std::size_t i = 2; i < 7; ++i, least *= 2)
        CHECK(server.accepted_at[i] - server.accepted_at[i - 1] >= least);
}
