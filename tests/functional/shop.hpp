#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eventually.hpp"
#include "flashsale_process.hpp"
#include "http_client.hpp"
#include "parallel.hpp"
#include "sandbox.hpp"
#include "stack.hpp"

// What the functional tests do all the time.

namespace flashsale::test {

namespace json = boost::json;

std::int64_t make_user(http_client& client, const std::string& name);
/// Ids of `count` new users.
std::vector<std::int64_t> make_users(http_client& client, std::size_t count);

struct product_options {
    std::int64_t price = 1'999;
    std::optional<std::int64_t> per_user_limit = std::nullopt;
};
std::int64_t make_product(http_client& client, std::int64_t stock, product_options options = {});

http_response place_order(http_client& client, std::int64_t user, std::int64_t product,
                          std::int64_t quantity, const std::string& key = {});

/// Asks again with the same key, as a client is told to, for as long as the outcome is unknown. For
/// tests with a short confirm deadline, which a busy machine may miss.
http_response place_order_and_know(http_client& client, std::int64_t user, std::int64_t product,
                                   std::int64_t quantity, const std::string& key);

std::string order_id(const http_response& accepted);
/// Whether GET of the order shows all that the answer to its placing said.
bool is_shown(http_client& client, const http_response& accepted);
std::int64_t available(http_client& client, std::int64_t product);

/// Answers by what they were: "201", or "400 out_of_stock".
std::string outcome(const http_response& answer);
std::size_t count(const std::vector<http_response>& answers, const std::string& outcome);

/// `flashsale audit`, once the backlog is recorded; its output if it does not exit 0, else "".
std::string audit_fault(const sandbox& world);

/// Keeps placing orders of distinct users on a product until told to stop, with fresh keys, one
/// order a user; remembers every answer. After a 503, and after no answer, each thread rests for 2
/// ms.
class order_load {
public:
    order_load(const flashsale_process& shop, std::vector<std::int64_t> users, std::int64_t product,
               std::size_t threads = 4);
    ~order_load();

    struct sent {
        std::int64_t user;
        std::string key;
        std::optional<http_response> answer;  ///< nullopt: the connection failed
        std::chrono::steady_clock::time_point at;
    };
    /// Ends the load and returns all that was sent.
    std::vector<sent> stop();
    std::size_t answered() const { return answered_; }
    /// How often that was the answer so far, as outcome() says it.
    std::size_t seen(const std::string& outcome) const;

private:
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> answered_{0};
    mutable std::mutex mutex_;
    std::vector<sent> all_;
    std::map<std::string, std::size_t> outcomes_;
    std::vector<std::jthread> threads_;
};

}  // namespace flashsale::test
