#pragma once

#include <catch2/catch.hpp>
#include <flashsale/redis.hpp>

#include <cstdlib>
#include <random>

namespace flashsale::redis::test {

using namespace std::chrono_literals;

inline std::string server_url() {
    const char* url = std::getenv("FLASHSALE_REDIS__URL");
    if (!url || !*url)
        FAIL(
            "FLASHSALE_REDIS__URL is not set: run script/test, or start the servers: "
            "script/stack up, then eval \"$(script/stack env)\"");
    return url;
}

/// A loop and a client on it, driven by the test's own thread.
struct connected {
    explicit connected(options settings) : client(io, std::move(settings)) { client.start(); }

    /// Waits until it is ready.
    connected() : connected(options{.url = server_url()}) {
        REQUIRE(run_until([this] { return client.ready(); }));
    }

    bool run_until(const std::function<bool()>& condition, std::chrono::milliseconds limit = 60s) {
        const auto give_up = std::chrono::steady_clock::now() + limit;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > give_up) return false;
            io.run_one_for(10ms);
        }
        return true;
    }

    result call(std::initializer_list<std::string_view> words) {
        return wait(
            [&](auto done) { client.command({words.begin(), words.size()}, std::move(done)); });
    }

    result evaluate(const script& what, std::initializer_list<std::string_view> keys,
                    std::initializer_list<std::string_view> arguments) {
        return wait([&](auto done) {
            client.evaluate(what, {keys.begin(), keys.size()},
                            {arguments.begin(), arguments.size()}, std::move(done));
        });
    }

    /// A key that no other test uses.
    static std::string fresh_key() {
        std::random_device random;
        return "test:" + std::to_string(random()) + ":" + std::to_string(random());
    }

    asio::io_context io{1};
    redis::client client;

private:
    result wait(const std::function<void(callback<result>)>& start) {
        const auto answer = std::make_shared<std::optional<result>>();
        start([answer](result got) { *answer = std::move(got); });
        CHECK_FALSE(answer->has_value());  // never inside the call
        if (!run_until([&] { return answer->has_value(); }))
            throw std::runtime_error("the callback was not called within a minute");
        return std::move(**answer);
    }
};

}  // namespace flashsale::redis::test
