#include "fake_shop.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <flashsale/base/async.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace flashsale::test {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

response answer(unsigned status, const json::value& body) {
    response made{http::int_to_status(status), 11};
    made.set(http::field::content_type,
             status < 400 ? "application/json" : "application/problem+json");
    if (status == 503) made.set(http::field::retry_after, "0");
    made.body() = json::serialize(body);
    made.prepare_payload();
    return made;
}

response problem(unsigned status, const char* code) {
    return answer(status, {{"type", "about:blank"}, {"status", status}, {"code", code}});
}

}  // namespace

struct fake_shop::state {
    explicit state(const lies& told) : lies_{told} {
        port_ = acceptor_.local_endpoint().port();
        asio::co_spawn(io_, accept(), [](std::exception_ptr) {});
        thread_ = std::jthread{[this] { io_.run(); }};
    }

    ~state() { io_.stop(); }

    awaitable<> accept() {
        while (true) {
            auto socket = co_await acceptor_.async_accept(use_awaitable);
            asio::co_spawn(io_, serve(std::move(socket)), [](std::exception_ptr) {});
        }
    }

    awaitable<> serve(asio::basic_stream_socket<tcp, executor> socket) {
        beast::flat_buffer buffer;
        asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor> timer{io_};
        while (true) {
            request asked;
            co_await http::async_read(socket, buffer, asked, use_awaitable);
            bool late = false;
            auto made = handle(asked, late);
            if (late) {
                timer.expires_after(lies_.late);
                co_await timer.async_wait(use_awaitable);
            }
            if (!made) co_return;
            co_await http::async_write(socket, *made, use_awaitable);
        }
    }

    /// nullopt: hang up.
    std::optional<response> handle(const request& asked, bool& late) {
        const std::lock_guard lock{mutex_};
        error_code fault;
        const auto parsed = json::parse(asked.body(), fault);
        if (fault || !parsed.is_object()) return problem(400, "malformed_json");
        const auto& body = parsed.get_object();
        const auto target = asked.target();
        if (target == "/v1/users") return create_user(body);
        if (target == "/v1/products") return create_product(body);
        if (target == "/v1/orders") {
            ++asked_;
            late = lies_.late_every != 0 && asked_ % lies_.late_every == 0;
            return place_order(body, std::string{asked["Idempotency-Key"]});
        }
        return problem(404, "not_found");
    }

    static std::int64_t integer(const json::object& body, const char* name) {
        const auto* found = body.if_contains(name);
        return found != nullptr && found->is_int64() ? found->get_int64() : 0;
    }

    response create_user(const json::object& body) {
        const auto* username = body.if_contains("username");
        if (username == nullptr) return problem(400, "bad_request");
        return answer(201, {{"id", ++users_}, {"username", *username}, {"balance", 0}});
    }

    response create_product(const json::object& body) {
        const product made{static_cast<std::int64_t>(products_.size()) + 1, integer(body, "stock"),
                           integer(body, "stock"), integer(body, "per_user_limit")};
        products_.push_back(made);
        free_[made.id] = made.supplied;
        movements_.push_back({ids_.make(), made.id, made.stock, false});
        return answer(201, {{"id", made.id}, {"stock", made.stock}});
    }

    static bool take(std::size_t& lie) { return lie > 0 && lie-- > 0; }

    std::optional<response> place_order(const json::object& body, const std::string& key) {
        order wanted{{},
                     integer(body, "user_id"),
                     integer(body, "product_id"),
                     integer(body, "quantity"),
                     key};
        if (wanted.user < 1 || wanted.user > users_) return problem(404, "user_not_found");
        const auto wares = std::ranges::find(products_, wanted.product, &product::id);
        if (wares == products_.end()) return problem(404, "product_not_found");

        const auto twin = by_key_.find({wanted.user, wanted.product, key});
        if (twin != by_key_.end()) {
            auto again = accept_order(twin->second);
            again.set("Idempotent-Replayed", "true");
            return again;
        }
        auto& bought = bought_[{wanted.user, wanted.product}];
        if (wares->limit > 0 && bought + wanted.quantity > wares->limit && !lies_.forget_limit) {
            return problem(409, "purchase_limit");
        }
        auto& free = free_[wares->id];
        if (free < wanted.quantity && !take(lies_.oversell)) {
            if (take(lies_.invent)) {
                wanted.id = ids_.make();
                store(wanted, *wares);
            }
            return problem(400, "out_of_stock");
        }
        bought += wanted.quantity;
        free -= wanted.quantity;
        wanted.id = ids_.make();
        by_key_[{wanted.user, wanted.product, key}] = wanted;
        record_order(wanted, *wares);
        ++accepted_;
        if (lies_.hang_up_every != 0 && accepted_ % lies_.hang_up_every == 0) return std::nullopt;
        if (lies_.doubt_every != 0 && accepted_ % lies_.doubt_every == 0) {
            return problem(503, "outcome_unknown");
        }
        return accept_order(wanted);
    }

    static response accept_order(const order& made) {
        auto reply = answer(201, {{"id", made.id.to_string()},
                                  {"user_id", made.user},
                                  {"product_id", made.product},
                                  {"quantity", made.quantity},
                                  {"unit_price", 100},
                                  {"order_status", "SUCCESS"}});
        reply.set(http::field::location, "/v1/orders/" + made.id.to_string());
        return reply;
    }

    void record_order(const order& made, product& wares) {
        if (take(lies_.lose)) return;
        if (take(lies_.lose_movement)) return orders_.push_back(made);
        store(made, wares);
        if (take(lies_.alter)) orders_.back().quantity += 1;
        if (take(lies_.duplicate)) {
            auto second = made;
            second.id = ids_.make();
            orders_.push_back(second);
        }
    }

    void store(const order& made, product& wares) {
        orders_.push_back(made);
        movements_.push_back({made.id, made.product, -made.quantity, true});
        wares.stock -= made.quantity;
    }

    using clock = std::chrono::steady_clock;

    lies lies_;
    asio::io_context io_{1};
    asio::basic_socket_acceptor<tcp, executor> acceptor_{
        io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    std::uint16_t port_ = 0;
    uuid_generator ids_;

    mutable std::mutex mutex_;
    std::int64_t users_ = 0;
    std::size_t asked_ = 0;
    std::size_t accepted_ = 0;
    std::map<std::int64_t, std::int64_t> free_;  // what is not promised yet, recorded or not
    std::vector<product> products_;
    std::vector<order> orders_;
    std::vector<movement> movements_;
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> bought_;
    std::map<std::tuple<std::int64_t, std::int64_t, std::string>, order> by_key_;

    std::jthread thread_;  // last: ends before the rest
};

fake_shop::fake_shop(const lies& told) : state_{std::make_unique<state>(told)} {}
fake_shop::~fake_shop() = default;
std::uint16_t fake_shop::port() const {
    return state_->port_;
}

std::vector<fake_shop::order> fake_shop::orders() const {
    const std::lock_guard lock{state_->mutex_};
    return state_->orders_;
}
std::vector<fake_shop::movement> fake_shop::movements() const {
    const std::lock_guard lock{state_->mutex_};
    return state_->movements_;
}
std::vector<fake_shop::product> fake_shop::products() const {
    const std::lock_guard lock{state_->mutex_};
    return state_->products_;
}

}  // namespace flashsale::test
