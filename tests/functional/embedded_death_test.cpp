// The embedded process is killed at any instant, under load, again and again on one folder. Gate,
// log and databases are all in it, so whatever it had in hand is what the next start has to make
// sense of.

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <set>

#include "shop.hpp"

using namespace flashsale::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t deaths = 50;
constexpr const char* sold_out = "400 out_of_stock";
constexpr std::int64_t stock_of_plenty = 10'000'000, stock_of_few = 1'500, limit_of_few = 3;

/// Orders of one run of the process, on two products: of one there is plenty, the other sells out
/// in the middle of it all. A part of them repeats keys whose answer never came.
class crowd {
public:
    struct order {
        std::int64_t user = 0, product = 0;
        std::string key;
    };

    crowd(std::vector<std::int64_t> users, std::int64_t plenty, std::int64_t few)
        : users_(std::move(users)), plenty_(plenty), few_(few) {}

    /// Until the process is gone.
    void rush(std::uint16_t port, const std::atomic<bool>& over) {
        parallel(4, [&](std::size_t thread) {
            http_client client{port};
            while (!over) {
                const order what = next(thread);
                try {
                    note(what, place_order(client, what.user, what.product, 1, what.key));
                } catch (const std::runtime_error&) {
                    client.close();
                    const std::lock_guard lock(mutex_);
                    unanswered_.push_back(what);
                    if (over) return 0;
                    std::this_thread::sleep_for(1ms);
                }
            }
            return 0;
        });
    }

    /// Asks again for all that was never answered.
    void settle(http_client& client) {
        std::vector<order> left;
        left.swap(unanswered_);
        for (const order& what : left)
            note(what, place_order(client, what.user, what.product, 1, what.key));
    }

    const std::map<std::string, std::string>& accepted() const { return accepted_; }
    const std::multiset<std::string>& outcomes() const { return outcomes_; }
    std::size_t keys_with_two_orders() const { return keys_with_two_orders_; }
    /// Keys with an order so far. Also while it rushes.
    std::size_t orders() const {
        const std::lock_guard lock(mutex_);
        return accepted_.size();
    }

private:
    order next(std::size_t thread) {
        const std::lock_guard lock(mutex_);
        if (!unanswered_.empty() && random_() % 2 == 0) {
            order again = std::move(unanswered_.back());
            unanswered_.pop_back();
            return again;
        }
        return {users_[random_() % users_.size()], thread % 2 == 0 ? plenty_ : few_,
                "key-" + std::to_string(++last_key_)};
    }

    void note(const order& what, const http_response& answer) {
        const std::lock_guard lock(mutex_);
        outcomes_.insert(outcome(answer));
        if (answer.status != 201) {
            if (answer.status == 503) unanswered_.push_back(what);
            return;
        }
        const auto [known, fresh] = accepted_.try_emplace(what.key, order_id(answer));
        if (!fresh && known->second != order_id(answer)) ++keys_with_two_orders_;
    }

    const std::vector<std::int64_t> users_;
    const std::int64_t plenty_, few_;
    mutable std::mutex mutex_;
    std::mt19937 random_{Catch::rngSeed()};
    std::uint64_t last_key_ = 0;
    std::vector<order> unanswered_;
    std::map<std::string, std::string> accepted_;  ///< key to order
    std::multiset<std::string> outcomes_;
    std::size_t keys_with_two_orders_ = 0;
};

/// Also when an assertion fails.
struct ends_with_its_scope {
    std::atomic<bool>& over;
    ~ends_with_its_scope() { over = true; }
};

bool accepts_more(const crowd& buyers) {
    return eventually(60s, [&, before = buyers.orders()] { return buyers.orders() > before; });
}

std::int64_t number(const sandbox& world, sandbox::database where, const std::string& of) {
    return world.number(where, of);
}

}  // namespace

TEST_CASE(
    "embedded: killed at 50 random instants under load: nothing lost, doubled, oversold, leaked") {
    const sandbox world(composition::embedded);
    std::optional<flashsale_process> shop(std::in_place, world);
    auto client = shop->client();
    const auto users = make_users(client, 800);
    const auto plenty = make_product(client, stock_of_plenty);
    const auto few = make_product(client, stock_of_few, {.per_user_limit = limit_of_few});
    crowd buyers(users, plenty, few);
    std::mt19937 random(Catch::rngSeed());
    std::size_t kept_in_log = 0;

    // The small stock is fought for: however slow the machine is, the sale goes on until it is
    // gone.
    const auto still_for_sale = [&] {
        return available(client, few) > 0 || buyers.outcomes().count(sold_out) == 0;
    };
    for (std::size_t death = 1; death <= deaths || still_for_sale(); ++death) {
        std::atomic<bool> over{false};
        std::jthread load([&, port = shop->port()] { buyers.rush(port, over); });
        const ends_with_its_scope ends{over};
        // The kill strikes in the midst of it. Every third finds the recorder waiting for its
        // database, and so something in the log.
        REQUIRE(accepts_more(buyers));
        std::optional<sqlite_write_lock> recorder_waits;
        if (death % 3 == 0) {
            recorder_waits.emplace(world.folder() / "order.db");
            REQUIRE(accepts_more(buyers));
        }
        std::this_thread::sleep_for(
            std::chrono::milliseconds{std::uniform_int_distribution<int>(5, 250)(random)});
        shop->kill(SIGKILL);
        REQUIRE(shop->wait(60s) == 128 + SIGKILL);
        over = true;
        load.join();
        recorder_waits.reset();
        // The folder as the dead left it adds up, with what its log still has.
        const auto at_rest = world.flashsale({"audit"});
        INFO("death " << death << "\n" << at_rest.output);
        REQUIRE(at_rest.exit_code == 0);
        if (at_rest.output.find("in outbox   0\n") == std::string::npos) ++kept_in_log;

        shop.emplace(world);
        client = shop->client();
        // The start has recorded everything before it listened.
        std::set<std::string> recorded;
        for (const auto& row : world.sql(sandbox::database::order, "SELECT id FROM orders"))
            recorded.insert(*row[0]);
        std::size_t lost = 0;
        for (const auto& [key, id] : buyers.accepted())
            lost += !recorded.contains(id);
        REQUIRE(lost == 0);
        REQUIRE(number(world, sandbox::database::order,
                       "SELECT count(*) FROM (SELECT 1 FROM orders GROUP BY user_id, product_id,"
                       " idempotency_key HAVING count(*) > 1)") == 0);
        for (const auto& [product, supplied] :
             {std::pair{plenty, stock_of_plenty}, std::pair{few, stock_of_few}}) {
            const auto sold = number(world, sandbox::database::order,
                                     "SELECT coalesce(sum(quantity), 0) FROM orders WHERE "
                                     "product_id = " +
                                         std::to_string(product));
            REQUIRE(sold <= supplied);
            REQUIRE(available(client, product) == supplied - sold);
        }
        REQUIRE(audit_fault(world) == "");
    }

    buyers.settle(client);
    CHECK(buyers.keys_with_two_orders() == 0);
    CHECK(audit_fault(world) == "");
    CHECK(world.sql(sandbox::database::order, "SELECT id FROM orders").size() ==
          buyers.accepted().size());
    CHECK(number(world, sandbox::database::order,
                 "SELECT count(*) FROM (SELECT 1 FROM orders WHERE product_id = " +
                     std::to_string(few) + " GROUP BY user_id HAVING sum(quantity) > " +
                     std::to_string(limit_of_few) + ")") == 0);
    CHECK(buyers.accepted().size() > 2'000);
    CHECK(available(client, few) == 0);
    CHECK(kept_in_log > deaths / 5);
}
