#include "multiplexer.hpp"

#include <catch2/catch.hpp>

using namespace flashsale;
using namespace std::string_literals;
using redis::error;
using redis::multiplexer;
using redis::result;

namespace {

/// Commands whose outcomes are noted by name; time is a number of seconds.
struct bench {
    explicit bench(std::size_t pending_max = 100) : mux(pending_max) {}

    static deadline at(int second) { return deadline{} + std::chrono::seconds(second); }

    auto note(std::string name) {
        return [this, name](result answer) { outcomes.emplace_back(name, std::move(answer)); };
    }

    void command(std::string name, int expires = 10) {
        const std::string_view words[] = {"GET", name};
        mux.add_command(words, at(expires), note(name));
    }

    void script(std::string name, int expires = 10) {
        const std::string_view keys[] = {"k"};
        const std::string_view arguments[] = {name};
        mux.add_script(source, keys, arguments, at(expires), note(name));
    }

    std::string write() {
        std::string sent = *mux.begin_write();
        mux.end_write();
        return sent;
    }

    void feed(std::string_view bytes) {
        mux.feed(bytes);
        while (auto done = mux.next())
            done->done(std::move(done->outcome));
    }

    void expire(int second) {
        while (auto late = mux.abandon_expired(at(second)))
            late->done(std::move(late->outcome));
    }

    void disconnect() {
        while (auto failed = mux.fail_next("gone"))
            failed->done(std::move(failed->outcome));
        mux.reset();
    }

    std::string names() const {
        std::string all;
        for (const auto& [name, answer] : outcomes)
            all += name;
        return all;
    }

    multiplexer mux;
    redis::script source{"return 1"};
    std::vector<std::pair<std::string, result>> outcomes;
};

bool failed_as(const result& answer, error::kind what) {
    return !answer && answer.error().what == what;
}

std::string evalsha(std::string_view argument) {
    return "*5\r\n$7\r\nEVALSHA\r\n$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n"
           "$1\r\n1\r\n$1\r\nk\r\n$1\r\n" +
           std::string(argument) + "\r\n";
}

std::string eval(std::string_view argument) {
    return "*5\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n1\r\n$1\r\nk\r\n$1\r\n" +
           std::string(argument) + "\r\n";
}

}  // namespace

TEST_CASE("multiplexer: arguments are bytes, counted") {
    bench b;
    const std::string_view words[] = {"SET", std::string_view("a\r\n\0b", 5), ""};
    b.mux.add_command(words, bench::at(1), b.note("x"));
    CHECK(b.write() == "*3\r\n$3\r\nSET\r\n$5\r\na\r\n\0b\r\n$0\r\n\r\n"s);
}

TEST_CASE("multiplexer: all that waits goes in one write, and what comes meanwhile in the next") {
    bench b;
    CHECK_FALSE(b.mux.wants_write());
    b.command("a");
    b.command("b");
    const auto first = b.mux.begin_write();
    CHECK(*first == "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
    b.command("c");
    CHECK_FALSE(b.mux.wants_write());  // one in flight
    CHECK(first->size() == 40);        // and untouched
    b.mux.end_write();
    REQUIRE(b.mux.wants_write());
    CHECK(b.write() == "*2\r\n$3\r\nGET\r\n$1\r\nc\r\n");
    CHECK_FALSE(b.mux.wants_write());
}

TEST_CASE("multiplexer: replies belong to the commands in their order") {
    bench b;
    b.command("a");
    b.command("b");
    b.command("c");
    b.write();
    b.feed(":1\r\n-ERR two\r\n");
    REQUIRE(b.names() == "ab");
    CHECK(b.outcomes[0].second->integer == 1);
    CHECK(failed_as(b.outcomes[1].second, error::kind::refused));
    CHECK(b.outcomes[1].second.error().message == "ERR two");
    b.feed(":3\r\n");
    CHECK(b.names() == "abc");
    CHECK(b.mux.idle());
}

TEST_CASE("multiplexer: it is bounded") {
    bench b(2);
    b.command("a");
    CHECK_FALSE(b.mux.full());
    b.command("b");
    CHECK(b.mux.full());
    b.write();
    b.feed(":1\r\n");
    CHECK_FALSE(b.mux.full());
}

TEST_CASE("multiplexer: a late command is answered once, and its reply swallowed") {
    bench b;
    b.command("a", 1);
    b.command("b", 5);
    b.write();
    CHECK(b.mux.first_deadline() == bench::at(1));
    b.expire(2);
    REQUIRE(b.names() == "a");
    CHECK(failed_as(b.outcomes[0].second, error::kind::outcome_unknown));
    CHECK(b.mux.abandoned() == 1);
    CHECK(b.mux.first_deadline() == bench::at(5));

    b.feed(":1\r\n:2\r\n");
    REQUIRE(b.names() == "ab");
    CHECK(b.outcomes[1].second->integer == 2);
    CHECK(b.mux.abandoned() == 0);
}

TEST_CASE("multiplexer: an abandoned command still counts against the bound") {
    bench b(1);
    b.command("a", 1);
    b.write();
    b.expire(2);
    CHECK(b.mux.full());
    CHECK_FALSE(b.mux.first_deadline());
}

TEST_CASE("multiplexer: a disconnect leaves the written unknown and the unwritten undone") {
    bench b;
    b.command("a", 1);
    b.command("b");
    const auto in_flight = b.mux.begin_write();
    b.command("c");
    b.expire(2);
    b.disconnect();
    REQUIRE(b.names() == "abc");
    CHECK(failed_as(b.outcomes[0].second, error::kind::outcome_unknown));
    CHECK(failed_as(b.outcomes[1].second, error::kind::outcome_unknown));
    CHECK(failed_as(b.outcomes[2].second, error::kind::unavailable));
    CHECK(b.mux.idle());

    b.command("d");
    CHECK(b.write() == "*2\r\n$3\r\nGET\r\n$1\r\nd\r\n");
    b.feed(":4\r\n");
    CHECK(b.names() == "abcd");
}

TEST_CASE("multiplexer: half a reply of the old connection does not reach the new one") {
    bench b;
    b.command("a");
    b.write();
    b.feed("$10\r\nhal");
    b.disconnect();
    b.command("b");
    b.write();
    b.feed(":2\r\n");
    REQUIRE(b.names() == "ab");
    CHECK(b.outcomes[1].second->integer == 2);
}

TEST_CASE("multiplexer: a reply to nothing, or to what was not written, is a fault") {
    bench b;
    SECTION("nothing is pending") {
        b.feed("+HELLO\r\n");
    }
    SECTION("nothing is written") {
        b.command("a");
        b.feed("+HELLO\r\n");
    }
    CHECK(b.outcomes.empty());
    CHECK_FALSE(b.mux.fault().empty());
}

TEST_CASE("multiplexer: a callback may add commands") {
    bench b;
    const std::string_view words[] = {"GET", "a"};
    b.mux.add_command(words, bench::at(1), [&](result) { b.command("b"); });
    b.write();
    b.feed(":1\r\n");
    CHECK(b.write() == "*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
}

TEST_CASE("multiplexer: a script goes by its SHA-1, and in full where that is unknown") {
    bench b;
    b.script("a");
    b.script("b");
    CHECK(b.write() == evalsha("a") + evalsha("b"));
    b.feed("-NOSCRIPT No matching script.\r\n:2\r\n");
    REQUIRE(b.names() == "b");
    CHECK(b.write() == eval("a"));
    b.feed(":1\r\n");
    REQUIRE(b.names() == "ba");
    CHECK(b.outcomes[1].second->integer == 1);
}

TEST_CASE("multiplexer: the text is sent once, then NOSCRIPT is the answer") {
    bench b;
    b.script("a");
    b.write();
    b.feed("-NOSCRIPT No matching script.\r\n");
    b.write();
    b.feed("-NOSCRIPT No matching script.\r\n");
    REQUIRE(b.names() == "a");
    CHECK(failed_as(b.outcomes[0].second, error::kind::refused));
    CHECK_FALSE(b.mux.wants_write());
}

TEST_CASE("multiplexer: a script that nobody waits for any more is not sent again") {
    bench b;
    b.script("a", 1);
    b.write();
    b.expire(2);
    b.feed("-NOSCRIPT No matching script.\r\n");
    CHECK(b.names() == "a");
    CHECK_FALSE(b.mux.wants_write());
}

TEST_CASE("multiplexer: a script's arguments survive many writes before its NOSCRIPT") {
    bench b;
    b.script("a");
    b.write();
    for (int i = 0; i < 50; ++i) {
        b.command("x");
        b.write();
    }
    b.feed("-NOSCRIPT No matching script.\r\n");
    CHECK(b.write() == eval("a"));
}

TEST_CASE("multiplexer: a script resent and lost before its write did not happen") {
    bench b;
    b.script("a");
    b.write();
    b.feed("-NOSCRIPT No matching script.\r\n");
    b.disconnect();
    REQUIRE(b.names() == "a");
    CHECK(failed_as(b.outcomes[0].second, error::kind::unavailable));
}
