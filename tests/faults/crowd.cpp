#include "crowd.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <flashsale/base/async.hpp>
#include <random>
#include <thread>

namespace flashsale::test {

namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto no_throw = asio::as_tuple(use_awaitable);
constexpr auto restock_interval = 200ms;
constexpr std::int64_t quantity_max = 2;
constexpr int patient_factor = 4;

struct reply {
    unsigned status = 0;  ///< 0: none came
    std::string body;

    std::string member(std::string_view name) const {
        const std::string begin = "\"" + std::string(name) + "\":\"";
        const auto at = body.find(begin);
        if (at == std::string::npos) return {};
        const auto from = at + begin.size();
        return body.substr(from, body.find('"', from) - from);
    }
};

/// One keep-alive connection, opened when it must.
class caller {
public:
    caller(asio::io_context& io, std::chrono::milliseconds patience)
        : socket_(io), deadline_(io), patience_(patience) {}

    /// `hang_up`: sends, and is gone.
    awaitable<reply> ask(std::uint16_t port, std::string request, bool hang_up = false) {
        deadline_.expires_after(patience_);
        deadline_.async_wait([this](error_code stopped) {
            if (!stopped) close();
        });
        reply out = co_await exchange(port, request, hang_up);
        deadline_.cancel();
        if (out.status == 0) close();
        co_return out;
    }

private:
    void close() {
        error_code ignored;
        socket_.close(ignored);
        port_ = 0;
    }

    awaitable<reply> exchange(std::uint16_t port, const std::string& request, bool hang_up) {
        if (port != port_) {
            close();
            const tcp::endpoint to(asio::ip::address_v4::loopback(), port);
            const auto [fault] = co_await socket_.async_connect(to, no_throw);
            if (fault) co_return reply{};
            error_code ignored;
            socket_.set_option(tcp::no_delay(true), ignored);
            port_ = port;
        }
        const auto [lost, sent] =
            co_await asio::async_write(socket_, asio::buffer(request), no_throw);
        if (lost || hang_up) co_return reply{};

        std::string bytes;
        std::size_t head = std::string::npos, whole = 0;
        char piece[4'096];
        while (head == std::string::npos || bytes.size() < whole) {
            const auto [fault, size] =
                co_await socket_.async_read_some(asio::buffer(piece), no_throw);
            if (fault) co_return reply{};
            bytes.append(piece, size);
            if (head != std::string::npos) continue;
            head = bytes.find("\r\n\r\n");
            if (head == std::string::npos) continue;
            const auto length = bytes.find("Content-Length: ");
            if (length == std::string::npos || length > head) co_return reply{};
            whole = head + 4 + std::strtoul(bytes.c_str() + length + 16, nullptr, 10);
        }
        if (bytes.substr(0, head).find("Connection: close") != std::string::npos) close();
        co_return reply{static_cast<unsigned>(std::atoi(bytes.c_str() + 9)),
                        bytes.substr(head + 4)};
    }

    tcp::socket socket_;
    asio::steady_timer deadline_;
    const std::chrono::milliseconds patience_;
    std::uint16_t port_ = 0;
};

std::string post(const std::string& path, const std::string& key, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
           "Idempotency-Key: " + key + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

}  // namespace

struct crowd::state {
    explicit state(crowd_options options) : chosen(std::move(options)), random(chosen.seed) {
        for (std::size_t i = 0; i < chosen.users.size(); ++i)
            asio::co_spawn(io, live(i), asio::detached);
        if (chosen.restocked != 0) asio::co_spawn(io, restock(), asio::detached);
        thread = std::thread([this] { io.run(); });
    }

    ~state() {
        io.stop();
        if (thread.joinable()) thread.join();
    }

    // ---- chance

    bool chance(double share) {
        return share > 0 && std::uniform_real_distribution<>(0, 1)(random) < share;
    }
    std::int64_t up_to(std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(1, most)(random);
    }
    std::chrono::milliseconds patience() {
        return chosen.answer_patience * (chance(chosen.patient) ? patient_factor : 1);
    }
    awaitable<void> about(std::chrono::milliseconds time) {
        asio::steady_timer timer(io, std::chrono::milliseconds(up_to(2 * time.count())));
        co_await timer.async_wait(no_throw);
    }

    // ---- users

    awaitable<void> live(std::size_t who) {
        ++alive;
        caller one(io, patience());
        co_await about(chosen.think);
        for (std::size_t turn = 0; !closing; ++turn) {
            auto want = std::make_shared<wish>();
            want->key = "w" + std::to_string(who) + "-" + std::to_string(turn);
            want->user = chosen.users[who];
            const auto count = static_cast<std::int64_t>(chosen.products.size());
            want->product = chosen.products[static_cast<std::size_t>(up_to(count) - 1)];
            want->quantity = up_to(quantity_max);
            wishes.push_back(want);
            const int more = chance(chosen.twins) ? chosen.twins_each : 0;
            for (int i = 1; i <= more; ++i)
                asio::co_spawn(io, twin(want, who + static_cast<std::size_t>(i)), asio::detached);
            co_await pursue(one, want, who);
            if (!closing) co_await about(chosen.think);
        }
        --alive;
    }

    awaitable<void> twin(std::shared_ptr<wish> want, std::size_t at) {
        ++alive;
        caller one(io, patience());
        co_await pursue(one, want, at);
        --alive;
    }

    awaitable<void> pursue(caller& one, std::shared_ptr<wish> want, std::size_t at) {
        const std::string request =
            post("/v1/orders", want->key,
                 "{\"user_id\":" + std::to_string(want->user) +
                     ",\"product_id\":" + std::to_string(want->product) +
                     ",\"quantity\":" + std::to_string(want->quantity) + "}");
        for (;;) {
            ++want->attempts;
            const auto port = chosen.ports[at % chosen.ports.size()];
            const reply got = co_await one.ask(port, request, chance(chosen.hang_ups));
            if (got.status != 0) ++answered;
            if (got.status == 201) {
                ++accepted;
                want->ended = wish::end::accepted;
                want->ids.push_back(got.member("id"));
                if (chance(chosen.reads)) co_await read_back(one, *want, at + 1);
                co_return;
            }
            const std::string code = got.member("code");
            if (got.status >= 400 && got.status < 500) {
                // A twin may have had the unit before.
                if (want->ended != wish::end::accepted) want->ended = wish::end::refused;
                want->refusal = code;
                co_return;
            }
            ++failed;
            if (got.status != 503 || code == "outcome_unknown") want->unknown = true;
            if (over || (closing && !want->unknown)) {
                if (want->ended == wish::end::open && !want->unknown)
                    want->ended = wish::end::given_up;
                co_return;
            }
            ++at;
            co_await about(chosen.patience);
        }
    }

    /// Through another process. Only a 404 is a fault: a 503 says that one has to ask again.
    awaitable<void> read_back(caller& one, wish& want, std::size_t at) {
        const auto got =
            co_await one.ask(chosen.ports[at % chosen.ports.size()],
                             "GET /v1/orders/" + want.ids.back() + " HTTP/1.1\r\nHost: x\r\n\r\n");
        if (got.status == 404) want.vanished = true;
    }

    awaitable<void> restock() {
        ++alive;
        caller one(io, chosen.answer_patience);
        for (std::size_t turn = 0; !closing; ++turn) {
            auto what = std::make_shared<gift>();
            what->key = "g" + std::to_string(turn);
            what->product = chosen.restocked;
            what->quantity = up_to(5);
            gifts.push_back(what);
            for (std::size_t at = turn; !what->done && !over; ++at) {
                const auto got = co_await one.ask(
                    chosen.ports[at % chosen.ports.size()],
                    post("/v1/products/" + std::to_string(what->product) + "/restock", what->key,
                         "{\"quantity\":" + std::to_string(what->quantity) + "}"));
                what->done = got.status == 200;
                if (!what->done) co_await about(chosen.patience);
            }
            if (!closing) co_await about(restock_interval);
        }
        --alive;
    }

    const crowd_options chosen;
    asio::io_context io{1};
    std::mt19937_64 random;
    std::vector<std::shared_ptr<wish>> wishes;
    std::vector<std::shared_ptr<gift>> gifts;
    std::atomic<std::uint64_t> accepted{0}, answered{0}, failed{0};
    std::atomic<std::size_t> alive{0};
    std::atomic<bool> closing{false};  ///< nothing new
    std::atomic<bool> over{false};     ///< no further attempt
    std::thread thread;
};

crowd::crowd(crowd_options chosen) : state_(std::make_unique<state>(std::move(chosen))) {}
crowd::~crowd() = default;

std::uint64_t crowd::accepted() const {
    return state_->accepted;
}

std::uint64_t crowd::answered() const {
    return state_->answered;
}

std::uint64_t crowd::failed() const {
    return state_->failed;
}

void crowd::finish(std::chrono::milliseconds most) {
    if (!state_->thread.joinable()) return;
    state_->closing = true;
    const auto until = std::chrono::steady_clock::now() + most;
    while (state_->alive > 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(10ms);
    state_->over = true;
    const auto& chosen = state_->chosen;
    const auto longest = chosen.answer_patience * (chosen.patient > 0 ? patient_factor : 1);
    const auto last_answers = std::chrono::steady_clock::now() + longest + 1s;
    while (state_->alive > 0 && std::chrono::steady_clock::now() < last_answers)
        std::this_thread::sleep_for(10ms);
    state_->io.stop();
    state_->thread.join();
}

const std::vector<std::shared_ptr<wish>>& crowd::wishes() const {
    return state_->wishes;
}

const std::vector<std::shared_ptr<gift>>& crowd::gifts() const {
    return state_->gifts;
}

}  // namespace flashsale::test
