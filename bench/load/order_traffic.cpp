#include "load/order_traffic.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <iterator>
#include <numeric>
#include <random>

namespace flashsale::bench {

std::string sale_plan::key_of(std::size_t number) const {
    return fmt::format("{}-{}", run, number);
}

wanted_order sale_plan::wanted(std::size_t number) const {
    return {users[user_of(number)], products[product_of(number)].id, 1, key_of(number)};
}

std::int64_t sale_plan::sellable() const {
    std::vector<std::int64_t> demand(products.size());
    for (std::size_t user = 0; user < users.size(); ++user) {
        const std::size_t tries = requests / users.size() + (user < requests % users.size());
        // The tries walk round the products: the first `rest` of the round get one more.
        const std::size_t rounds = tries / products.size();
        const std::size_t rest = tries % products.size();
        for (std::size_t step = 0; step < std::min(tries, products.size()); ++step) {
            const auto at = (user + step) % products.size();
            const auto asked = static_cast<std::int64_t>(rounds + (step < rest));
            demand[at] += std::min(asked, products[at].per_user_limit.value_or(asked));
        }
    }
    std::int64_t units = 0;
    for (std::size_t at = 0; at < products.size(); ++at) {
        units += std::min(demand[at], products[at].supplied);
    }
    return units;
}

order_traffic::order_traffic(sale_plan plan) : plan_{std::move(plan)}, sequence_(plan_.requests) {
    std::iota(sequence_.begin(), sequence_.end(), 0u);
    std::shuffle(sequence_.begin(), sequence_.end(), std::mt19937_64{plan_.seed});
}

std::optional<std::size_t> order_traffic::next() {
    if (next_ == sequence_.size()) return std::nullopt;
    return sequence_[next_++];
}

void order_traffic::render(std::size_t number, std::string_view host, std::string& out) const {
    fmt::memory_buffer json;
    fmt::format_to(std::back_inserter(json), R"({{"user_id":{},"product_id":{},"quantity":1}})",
                   plan_.users[plan_.user_of(number)], plan_.products[plan_.product_of(number)].id);
    append_post(out, host, "/v1/orders", plan_.key_of(number), {json.data(), json.size()});
}

void order_traffic::done(std::size_t number, const outcome& what) {
    if (what.tries > 1) ++tally_.retried;
    auto verdict = what.what;
    // A 201 that names no order is no proof of anything.
    if (verdict == verdict::accepted &&
        (what.status != 201 || !read_acceptance(number, what.body))) {
        verdict = verdict::unknown;
    }
    switch (verdict) {
        case verdict::accepted:
            ++tally_.accepted;
            if (what.replayed) ++tally_.replayed;
            tally_.accepted_ns.record(what.latency.count());
            tally_.last_accepted = std::chrono::steady_clock::now();
            return;
        case verdict::refused:
            ++tally_.refused;
            ++tally_.refused_by_code[{what.status, std::string{what.code}}];
            tally_.refused_ns.record(what.latency.count());
            if (what.maybe_accepted) unsure_.push_back(number);
            return;
        case verdict::unknown:
            ++tally_.unknown;
            ++tally_.unknown_by_code[{what.status, std::string{what.code}}];
            if (what.maybe_accepted || what.what == verdict::accepted) unsure_.push_back(number);
            return;
    }
}

bool order_traffic::read_acceptance(std::size_t number, std::string_view body) {
    unsigned char memory[2'048];
    boost::json::monotonic_resource arena{memory};
    boost::system::error_code fault;
    const auto parsed = boost::json::parse({body.data(), body.size()}, fault, &arena);
    if (fault || !parsed.is_object()) return false;
    const auto& answer = parsed.get_object();
    const auto* id_text = answer.if_contains("id");
    if (id_text == nullptr || !id_text->is_string()) return false;
    const auto id = uuid::parse({id_text->get_string().data(), id_text->get_string().size()});
    if (!id) return false;
    const auto is = [&](const char* name, std::int64_t value) {
        const auto* found = answer.if_contains(name);
        return found != nullptr && found->is_int64() && found->get_int64() == value;
    };
    const bool echoed = is("user_id", plan_.users[plan_.user_of(number)]) &&
                        is("product_id", plan_.products[plan_.product_of(number)].id) &&
                        is("quantity", 1);
    accepted_.push_back({number, *id, echoed});
    return true;
}

std::string order_traffic::progress() const {
    return fmt::format("orders: {} of {}, accepted {}, refused {}, unknown {}", tally_.done(),
                       plan_.requests, tally_.accepted, tally_.refused, tally_.unknown);
}

sale order_traffic::known() const {
    sale all{.products = plan_.products, .accepted = {}, .unsure = {}};
    all.accepted.reserve(accepted_.size());
    for (const auto& each : accepted_) {
        all.accepted.push_back({each.id, plan_.wanted(each.number), each.echoed});
    }
    for (const auto number : unsure_)
        all.unsure.push_back(plan_.wanted(number));
    return all;
}

}  // namespace flashsale::bench
