#include <catch2/catch.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <mutex>
#include <thread>

#include "eventually.hpp"
#include "fault_proxy.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// Answers each piece that comes with the same bytes behind a word of its own.
class echo_server {
public:
    explicit echo_server(std::string word = "") : word_(std::move(word)) {
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    ~echo_server() {
        thread_.request_stop();
        error_code ignored;
        tcp::socket(io_).connect(acceptor_.local_endpoint(), ignored);
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    std::string heard() {
        const std::lock_guard lock(mutex_);
        return heard_;
    }

private:
    void run(const std::stop_token& stop) {
        std::vector<std::jthread> sessions;
        while (!stop.stop_requested()) {
            sessions.emplace_back([this, client = acceptor_.accept()]() mutable {
                char bytes[4'096];
                error_code fault;
                for (;;) {
                    const auto size = client.read_some(asio::buffer(bytes), fault);
                    if (fault) return;
                    {
                        const std::lock_guard lock(mutex_);
                        heard_.append(bytes, size);
                    }
                    asio::write(client, asio::buffer(word_ + std::string(bytes, size)), fault);
                }
            });
        }
    }

    std::string word_;
    asio::io_context io_;
    tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
    std::mutex mutex_;
    std::string heard_;
    std::jthread thread_;
};

class caller {
public:
    explicit caller(const fault_proxy& through) {
        socket_.connect({asio::ip::address_v4::loopback(), through.port()});
    }
    void say(std::string_view what) {
        error_code fault;
        asio::write(socket_, asio::buffer(what), fault);
    }
    /// What comes within the time: some bytes, "nothing", "end" or "reset".
    std::string hear(std::chrono::milliseconds most = 60s) {
        std::string result = "nothing";
        bytes_.resize(65'536);
        socket_.async_read_some(asio::buffer(bytes_), [&](error_code fault, std::size_t size) {
            if (fault == asio::error::operation_aborted) return;
            result = !fault ? bytes_.substr(0, size) : fault == asio::error::eof ? "end" : "reset";
        });
        io_.restart();
        io_.run_for(most);
        if (!io_.stopped()) {
            socket_.cancel();
            io_.run();
        }
        return result;
    }
    std::string hear_all(std::size_t size) {
        std::string all;
        while (all.size() < size) {
            const auto more = hear();
            if (more == "nothing" || more == "end" || more == "reset") break;
            all += more;
        }
        return all;
    }

private:
    asio::io_context io_;
    tcp::socket socket_{io_};
    std::string bytes_;
};

std::chrono::milliseconds since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 then);
}

}  // namespace

TEST_CASE("fault proxy: forwards both ways, and heals") {
    echo_server server;
    fault_proxy proxy("127.0.0.1", server.port());
    caller one(proxy);
    one.say("hello");
    CHECK(one.hear() == "hello");
    proxy.black_hole(true);
    one.say("later");
    CHECK(one.hear(50ms) == "nothing");
    proxy.heal();
    CHECK(one.hear() == "later");
}

TEST_CASE("fault proxy: a delay is waited out each way") {
    echo_server server;
    fault_proxy proxy("127.0.0.1", server.port());
    caller one(proxy);
    one.say("a");
    REQUIRE(one.hear() == "a");
    proxy.delay(40ms);
    const auto asked = std::chrono::steady_clock::now();
    one.say("b");
    CHECK(one.hear() == "b");
    CHECK(since(asked) >= 80ms);
}

TEST_CASE("fault proxy: slices and limits change the pace and nothing else") {
    echo_server server;
    fault_proxy proxy("127.0.0.1", server.port());
    caller one(proxy);
    const std::string text(1'000, 'x');
    proxy.slice(1);
    // Pieces that wait here for their reader come together. It need only be quick once.
    CHECK(eventually(60s, [&] {
        one.say(text);
        const auto first = one.hear();
        CHECK(first + one.hear_all(text.size() - first.size()) == text);
        return first.size() < text.size();
    }));
    proxy.heal();
    proxy.limit(10'000);
    const auto asked = std::chrono::steady_clock::now();
    one.say(text);
    CHECK(one.hear_all(text.size()) == text);
    one.say(text);
    CHECK(one.hear_all(text.size()) == text);
    CHECK(since(asked) >= 100ms);
}

TEST_CASE("fault proxy: replies held: the server has heard, the client has not") {
    echo_server server;
    fault_proxy proxy("127.0.0.1", server.port());
    caller one(proxy);
    proxy.hold_replies(true);
    one.say("done");
    CHECK(eventually(60s, [&] { return server.heard() == "done"; }));
    CHECK(one.hear(50ms) == "nothing");
    proxy.hold_replies(false);
    CHECK(one.hear() == "done");
    proxy.hold_requests(true);
    one.say("not heard");
    CHECK(one.hear(50ms) == "nothing");
    CHECK(server.heard() == "done");
}

TEST_CASE("fault proxy: cut, half-closed, closed and open again") {
    echo_server server;
    fault_proxy proxy("127.0.0.1", server.port());
    caller one(proxy);
    one.say("a");
    REQUIRE(one.hear() == "a");
    CHECK(proxy.connections() == 1);
    proxy.cut();
    CHECK(one.hear() == "reset");
    CHECK(proxy.connections() == 0);

    caller two(proxy);
    two.say("b");
    REQUIRE(two.hear() == "b");
    proxy.half_close();
    CHECK(two.hear() == "end");
    two.say("c");
    CHECK(eventually(60s, [&] { return server.heard() == "abc"; }));

    proxy.close();
    CHECK_THROWS(caller(proxy));
    proxy.open();
    caller three(proxy);
    three.say("d");
    CHECK(three.hear() == "d");
}

TEST_CASE("fault proxy: the request is done, and its reply never comes") {
    echo_server server;
    fault_proxy proxy("127.0.0.1", server.port());
    caller one(proxy);
    proxy.cut_reply(2);
    one.say("first");
    CHECK(one.hear() == "first");
    one.say("second");
    CHECK(one.hear() == "reset");
    CHECK(server.heard() == "firstsecond");
    CHECK(proxy.replies_cut() == 1);

    caller two(proxy);
    proxy.cut_replies(1, "COMMIT");
    two.say("INSERT");
    CHECK(two.hear() == "INSERT");
    two.say("COMMIT");
    CHECK(two.hear() == "reset");
    CHECK(server.heard() == "firstsecondINSERTCOMMIT");
    CHECK(proxy.replies_cut() == 2);

    proxy.heal();
    proxy.cut_replies(0.5);
    int cut = 0;
    for (int i = 0; i < 40; ++i) {
        caller again(proxy);
        again.say("x");
        cut += again.hear() == "reset";
    }
    CHECK(cut > 5);
    CHECK(cut < 35);
}

TEST_CASE("fault proxy: new connections go where it is pointed") {
    echo_server first("1:"), second("2:");
    fault_proxy proxy("127.0.0.1", first.port());
    caller one(proxy);
    one.say("a");
    CHECK(one.hear() == "1:a");
    proxy.retarget(second.port());
    caller two(proxy);
    two.say("b");
    CHECK(two.hear() == "2:b");
    one.say("c");
    CHECK(one.hear() == "1:c");
}
