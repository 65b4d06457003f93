#include "load/order_stream.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>
#include <flashsale/base/json_fields.hpp>

namespace flashsale::bench {

namespace {

constexpr std::size_t faults_kept = 5;
// Coprime with 100: the kinds of requests alternate instead of coming in blocks.
constexpr std::size_t stride = 37;

/// Reads `"name":` and the digits behind it; 0 if there are none.
std::int64_t integer_in(std::string_view body, std::string_view quoted_name) {
    const auto at = body.find(quoted_name);
    if (at == body.npos) return 0;
    const auto* begin = body.data() + at + quoted_name.size();
    std::int64_t value = 0;
    std::from_chars(begin, body.data() + body.size(), value);
    return value;
}

std::optional<uuid> id_in(std::string_view body) {
    constexpr std::string_view name = R"("id":")";
    constexpr std::size_t length = 36;
    const auto at = body.find(name);
    if (at == body.npos || body.size() < at + name.size() + length) return std::nullopt;
    return uuid::parse(body.substr(at + name.size(), length));
}

}  // namespace

order_stream::order_stream(stream_plan plan) : plan_{std::move(plan)} {}

order_stream::shape order_stream::shape_of(std::size_t number) const {
    const auto slot = number * stride % 100;
    if (slot < plan_.replay_percent && !plan_.replays.empty()) {
        const auto& first = plan_.replays[number % plan_.replays.size()];
        return {first.user, first.product, &first};
    }
    const auto user = plan_.users[(plan_.first_user + number) % plan_.users.size()];
    if (slot < plan_.replay_percent + plan_.sold_out_percent) {
        return {user, plan_.sold_out.id, nullptr};
    }
    return {user, plan_.products[number % plan_.products.size()].id, nullptr};
}

void order_stream::append_key(std::size_t number, const shape& of, std::string& out) const {
    if (of.replay != nullptr) {
        out.append(of.replay->key);
    } else {
        out.append(plan_.run).push_back('-');
        append_integer(out, std::uint64_t{number});
    }
}

wanted_order order_stream::wanted(std::size_t number) const {
    const auto of = shape_of(number);
    wanted_order order{of.user, of.product, 1, {}};
    append_key(number, of, order.key);
    return order;
}

std::optional<std::size_t> order_stream::next() {
    if (next_ == plan_.requests_max) return std::nullopt;
    return next_++;
}

void order_stream::render(std::size_t number, std::string_view host, std::string& out) const {
    const auto of = shape_of(number);
    std::array<char, 128> json;
    const auto* end =
        fmt::format_to_n(json.data(), json.size(),
                         R"({{"user_id":{},"product_id":{},"quantity":1}})", of.user, of.product)
            .out;
    out.append("POST /v1/orders HTTP/1.1\r\nHost: ").append(host);
    out.append("\r\nContent-Type: application/json\r\nIdempotency-Key: ");
    append_key(number, of, out);
    out.append("\r\nContent-Length: ");
    append_integer(out, static_cast<std::uint64_t>(end - json.data()));
    out.append("\r\n\r\n").append(json.data(), static_cast<std::size_t>(end - json.data()));
}

void order_stream::done(std::size_t number, const outcome& what) {
    if (!plan_.meaningful) {
        ++(what.status != 0 ? tally_.refused : tally_.unknown);
        tally_.refused_ns.record(what.latency.count());
        return;
    }
    switch (what.what) {
        case verdict::accepted:
            return accept(number, what);
        case verdict::refused:
            ++tally_.refused;
            if (what.status == 503) ++tally_.busy;
            if (what.code == "high_traffic") ++tally_.high_traffic;
            tally_.refused_ns.record(what.latency.count());
            if (what.maybe_accepted) unsure_.push_back(number);
            if (shape_of(number).replay != nullptr && what.status != 503 &&
                faults_.size() < faults_kept) {
                faults_.push_back(fmt::format("a replay of {} was refused: {} {}",
                                              shape_of(number).replay->id.to_string(), what.status,
                                              what.code));
            }
            return;
        case verdict::unknown:
            ++tally_.unknown;
            if (what.maybe_accepted) unsure_.push_back(number);
            return;
    }
}

void order_stream::accept(std::size_t number, const outcome& what) {
    const auto id = what.status == 201 ? id_in(what.body) : std::nullopt;
    if (!id) {  // a 201 that names no order is no proof of anything
        ++tally_.unknown;
        unsure_.push_back(number);
        return;
    }
    ++tally_.accepted;
    tally_.accepted_ns.record(what.latency.count());
    const auto of = shape_of(number);
    if (of.replay != nullptr) {
        ++tally_.replayed;
        if (*id != of.replay->id && faults_.size() < faults_kept) {
            faults_.push_back(fmt::format("a replay of {} was answered with order {}",
                                          of.replay->id.to_string(), id->to_string()));
        }
        return;
    }
    const bool echoed = integer_in(what.body, R"("user_id":)") == of.user &&
                        integer_in(what.body, R"("product_id":)") == of.product &&
                        integer_in(what.body, R"("quantity":)") == 1;
    accepted_.push_back({number, *id, echoed});
}

std::string order_stream::progress() const {
    return fmt::format("sent {}, accepted {}, refused {}, unknown {}", next_, tally_.accepted,
                       tally_.refused, tally_.unknown);
}

sale order_stream::known() const {
    sale all{.products = plan_.products, .accepted = {}, .unsure = {}};
    if (plan_.sold_out.id != 0) all.products.push_back(plan_.sold_out);
    all.accepted.reserve(accepted_.size());
    for (const auto& each : accepted_)
        all.accepted.push_back({each.id, wanted(each.number), each.echoed});
    for (const auto number : unsure_)
        all.unsure.push_back(wanted(number));
    return all;
}

std::vector<placed_order> order_stream::placed(std::size_t most) const {
    std::vector<placed_order> all;
    for (const auto& each : accepted_) {
        if (all.size() == most) break;
        const auto order = wanted(each.number);
        all.push_back({order.user, order.product, order.key, each.id});
    }
    return all;
}

}  // namespace flashsale::bench
