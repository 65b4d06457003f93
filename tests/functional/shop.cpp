#include "shop.hpp"

#include <algorithm>
#include <stdexcept>

namespace flashsale::test {

namespace {

constexpr std::chrono::milliseconds pause_after_failure{2};

http_response must(http_response answer, unsigned status) {
    if (answer.status != status) {
        throw std::runtime_error("expected " + std::to_string(status) + ", got " +
                                 std::to_string(answer.status) + ": " + answer.body);
    }
    return answer;
}

}  // namespace

std::int64_t make_user(http_client& client, const std::string& name) {
    return must(client.post("/v1/users", json::value{{"username", name}}), 201)
        .json()
        .at("id")
        .as_int64();
}

std::vector<std::int64_t> make_users(http_client& client, std::size_t count) {
    std::vector<std::int64_t> ids;
    for (std::size_t i = 0; i < count; ++i) {
        ids.push_back(make_user(client, "user " + std::to_string(i)));
    }
    return ids;
}

std::int64_t make_product(http_client& client, std::int64_t stock, product_options options) {
    json::object body{{"name", "Lamp"}, {"price", options.price}, {"stock", stock}};
    if (options.per_user_limit) body["per_user_limit"] = *options.per_user_limit;
    return must(client.post("/v1/products", body), 201).json().at("id").as_int64();
}

http_response place_order(http_client& client, std::int64_t user, std::int64_t product,
                          std::int64_t quantity, const std::string& key) {
    http_client::headers headers;
    if (!key.empty()) headers.emplace_back("Idempotency-Key", key);
    return client.post(
        "/v1/orders",
        json::value{{"user_id", user}, {"product_id", product}, {"quantity", quantity}}, headers);
}

http_response place_order_and_know(http_client& client, std::int64_t user, std::int64_t product,
                                   std::int64_t quantity, const std::string& key) {
    http_response answer;
    eventually(std::chrono::seconds{60}, [&] {
        answer = place_order(client, user, product, quantity, key);
        return outcome(answer) != "503 outcome_unknown";
    });
    return answer;
}

std::string order_id(const http_response& accepted) {
    return std::string(must(accepted, 201).json().at("id").as_string());
}

bool is_shown(http_client& client, const http_response& accepted) {
    const auto found = client.get("/v1/orders/" + order_id(accepted));
    if (found.status != 200) return false;
    const auto shown = found.json();
    for (const auto& [name, value] : accepted.json().as_object()) {
        const json::value* member = shown.as_object().if_contains(name);
        if (member == nullptr || *member != value) return false;
    }
    return true;
}

std::int64_t available(http_client& client, std::int64_t product) {
    const auto answer = must(client.get("/v1/products/" + std::to_string(product)), 200);
    return answer.json().at("available").as_int64();
}

std::string outcome(const http_response& answer) {
    const std::string code = answer.code();
    return std::to_string(answer.status) + (code.empty() ? "" : " " + code);
}

std::size_t count(const std::vector<http_response>& answers, const std::string& what) {
    return static_cast<std::size_t>(std::ranges::count(answers, what, outcome));
}

std::string audit_fault(const sandbox& world) {
    const auto audit = world.flashsale({"audit", "--wait", "60"});
    return audit.exit_code == 0 ? ""
                                : "exit " + std::to_string(audit.exit_code) + "\n" + audit.output;
}

order_load::order_load(const flashsale_process& shop, std::vector<std::int64_t> users,
                       std::int64_t product, std::size_t threads) {
    auto shared = std::make_shared<const std::vector<std::int64_t>>(std::move(users));
    for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this, port = shop.port(), product, shared] {
            http_client client{port};
            while (!stopping_) {
                const std::size_t turn = next_++;
                if (turn >= shared->size()) return;
                sent one{(*shared)[turn], "load-" + std::to_string(turn), std::nullopt, {}};
                try {
                    one.answer = place_order(client, one.user, product, 1, one.key);
                } catch (const std::runtime_error&) {
                    client.close();
                }
                // A client that asks again at once for as long as nothing is sold has soon used up
                // all the keys that there are, and leaves as many to be settled.
                const bool took_nothing = !one.answer || one.answer->status == 503;
                const auto pause = took_nothing ? pause_after_failure : std::chrono::milliseconds{};
                one.at = std::chrono::steady_clock::now();
                const std::string what = one.answer ? outcome(*one.answer) : "";
                ++answered_;
                {
                    const std::lock_guard lock(mutex_);
                    ++outcomes_[what];
                    all_.push_back(std::move(one));
                }
                std::this_thread::sleep_for(pause);
            }
        });
    }
}

order_load::~order_load() {
    stop();
}

std::size_t order_load::seen(const std::string& outcome) const {
    const std::lock_guard lock(mutex_);
    const auto found = outcomes_.find(outcome);
    return found == outcomes_.end() ? 0 : found->second;
}

std::vector<order_load::sent> order_load::stop() {
    stopping_ = true;
    for (auto& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
    const std::lock_guard lock(mutex_);
    return all_;
}

}  // namespace flashsale::test
