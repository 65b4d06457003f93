#include "site/shop.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <functional>
#include <random>

namespace flashsale::bench {

namespace {

class creation final : public traffic {
public:
    creation(std::string path, std::size_t count, std::function<std::string(std::size_t)> body,
             std::string run)
        : path_{std::move(path)}, body_{std::move(body)}, run_{std::move(run)}, ids_(count) {}

    std::optional<std::size_t> next() override {
        if (next_ == ids_.size() || !fault_.empty()) return std::nullopt;
        return next_++;
    }

    void render(std::size_t number, std::string_view host, std::string& out) const override {
        append_post(out, host, path_, fmt::format("{}-{}", run_, number), body_(number));
    }

    void done(std::size_t number, const outcome& what) override {
        ++done_;
        const auto id = what.status == 201 ? id_of(what.body) : std::nullopt;
        if (id) {
            ids_[number] = *id;
        } else if (fault_.empty()) {
            fault_ = fmt::format("POST {} was answered {} {} {}", path_, what.status, what.code,
                                 what.body.substr(0, 200));
        }
    }

    std::string progress() const override {
        return fmt::format("POST {}: {} of {}", path_, done_, ids_.size());
    }

    std::expected<std::vector<std::int64_t>, std::string> run(const load_options& load,
                                                              progress_line* progress) {
        const auto result = run_closed_loop(load, *this, progress);
        if (!result.failure.empty()) return std::unexpected(result.failure);
        if (!fault_.empty()) return std::unexpected(fault_);
        return std::move(ids_);
    }

private:
    static std::optional<std::int64_t> id_of(std::string_view body) {
        boost::system::error_code fault;
        const auto parsed = boost::json::parse({body.data(), body.size()}, fault);
        if (fault || !parsed.is_object()) return std::nullopt;
        const auto* id = parsed.get_object().if_contains("id");
        if (id == nullptr || !id->is_int64()) return std::nullopt;
        return id->get_int64();
    }

    std::string path_;
    std::function<std::string(std::size_t)> body_;
    std::string run_;
    std::vector<std::int64_t> ids_;
    std::size_t next_ = 0;
    std::size_t done_ = 0;
    std::string fault_;
};

}  // namespace

std::string make_run_name() {
    constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::random_device random;
    std::uniform_int_distribution<std::size_t> pick{0, letters.size() - 1};
    std::string name;
    for (int i = 0; i < 12; ++i)
        name += letters[pick(random)];
    return name;
}

std::expected<std::vector<std::int64_t>, std::string> create_users(const load_options& load,
                                                                   const std::string& run,
                                                                   std::size_t count,
                                                                   progress_line* progress,
                                                                   std::int64_t starting_balance) {
    const auto body = [&](std::size_t i) {
        if (starting_balance == 0) return fmt::format(R"({{"username":"rush-{}-{}"}})", run, i);
        return fmt::format(R"({{"username":"rush-{}-{}","balance":{}}})", run, i, starting_balance);
    };
    return creation{"/v1/users", count, body, run}.run(load, progress);
}

std::expected<std::vector<std::int64_t>, std::string> create_products(
    const load_options& load, const std::string& run, const std::vector<new_product>& products,
    progress_line* progress) {
    const auto body = [&](std::size_t i) {
        auto text = fmt::format(R"({{"name":"rush-{}-{}","price":{},"stock":{})", run, i,
                                product_price, products[i].stock);
        if (const auto limit = products[i].per_user_limit) {
            text += fmt::format(R"(,"per_user_limit":{})", *limit);
        }
        if (const auto window = products[i].payment_window_s) {
            text += fmt::format(R"(,"payment_window_s":{})", *window);
        }
        return text + "}";
    };
    return creation{"/v1/products", products.size(), body, run}.run(load, progress);
}

}  // namespace flashsale::bench
