#include "load/hold_traffic.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>

namespace flashsale::bench {

namespace {

using steady = std::chrono::steady_clock;
namespace json = boost::json;

/// nullopt: it is no object.
std::optional<json::object> object_in(std::string_view body) {
    boost::system::error_code fault;
    auto parsed = json::parse({body.data(), body.size()}, fault);
    if (fault || !parsed.is_object()) return std::nullopt;
    return std::move(parsed.get_object());
}

std::string_view text_in(const json::object& answer, const char* name) {
    const auto* found = answer.if_contains(name);
    if (found == nullptr || !found->is_string()) return {};
    return {found->get_string().data(), found->get_string().size()};
}

order_state state_in(std::string_view body) {
    const auto answer = object_in(body);
    return answer ? state_named(text_in(*answer, "order_status")) : order_state::other;
}

bool is_unknown(const outcome& what) {
    return what.what == verdict::unknown || what.status == 503;
}

}  // namespace

intention hold_plan::intention_of(std::size_t user, bool first_order,
                                  std::size_t granted_before) const {
    if (!first_order || granted_before >= mixed) return intention::pay;
    switch (user % 3) {
        case 1:
            return intention::cancel;
        case 2:
            return intention::leave;
        default:
            return intention::pay;
    }
}

hold_traffic::hold_traffic(hold_plan plan)
    : plan_{std::move(plan)}, orders_of_(plan_.users.size()) {}

std::optional<std::size_t> hold_traffic::next() {
    const auto now = steady::now();
    if (!end_) end_ = now + plan_.most;
    if (!fault_.empty() || now >= *end_) return std::nullopt;
    if (!waiting_.empty()) {
        const auto first = waiting_.front();
        waiting_.pop_front();
        return take_number(first);
    }
    if (finished()) return std::nullopt;
    const auto ask = next_ask_++;
    ++tally_.asked;
    return take_number({.what = step::place, .user = ask % plan_.users.size(), .ask = ask});
}

std::size_t hold_traffic::take_number(const request& what) {
    if (free_.empty()) {
        under_way_.push_back(what);
        return under_way_.size() - 1;
    }
    const auto number = free_.back();
    free_.pop_back();
    under_way_[number] = what;
    return number;
}

wanted_order hold_traffic::wanted(const request& of) const {
    return {plan_.users[of.user], plan_.product.id, 1, fmt::format("{}-{}", plan_.run, of.ask)};
}

void hold_traffic::render(std::size_t number, std::string_view host, std::string& out) const {
    const auto& what = under_way_[number];
    if (what.what == step::place) {
        const auto order = wanted(what);
        return append_post(out, host, "/v1/orders", order.key,
                           fmt::format(R"({{"user_id":{},"product_id":{},"quantity":1}})",
                                       order.user, order.product));
    }
    const bool pays = what.what == step::pay;
    append_post(out, host,
                fmt::format("/v1/orders/{}/{}", lives_[what.order].id.to_string(),
                            pays ? "payments" : "cancel"),
                plan_.run, pays ? R"({"method":"balance"})" : R"({"reason":"changed my mind"})");
}

void hold_traffic::done(std::size_t number, const outcome& what) {
    const auto of = under_way_[number];
    free_.push_back(number);
    switch (of.what) {
        case step::place:
            return placed(of, what);
        case step::pay:
            return paid(of, what);
        case step::cancel:
            return cancelled(of, what);
    }
}

void hold_traffic::placed(const request& of, const outcome& what) {
    if (what.what == verdict::accepted && note_granted(of, what.body)) return;
    // A refusal is no word about a try before it that had no answer.
    if (what.what != verdict::refused || what.maybe_accepted) return ask_again(of);
    ++tally_.refused;
    ++tally_.refused_by_code[{what.status, std::string{what.code}}];
}

bool hold_traffic::note_granted(const request& of, std::string_view body) {
    const auto answer = object_in(body);
    if (!answer) return false;
    const auto id = uuid::parse(text_in(*answer, "id"));
    if (!id) return false;
    const auto order = wanted(of);
    const auto is = [&](const char* name, std::int64_t value) {
        const auto* found = answer->if_contains(name);
        return found != nullptr && found->is_int64() && found->get_int64() == value;
    };
    const bool echoed =
        is("user_id", order.user) && is("product_id", order.product) && is("quantity", 1);
    const auto meant = plan_.intention_of(of.user, orders_of_[of.user]++ == 0, tally_.granted++);
    accepted_.push_back({*id, order, echoed});
    lives_.push_back({*id, order.user, order_state::pending});
    const auto state = state_named(text_in(*answer, "order_status"));
    if (state == order_state::expired) {
        // A repeat, whose first answer was lost for as long as the order was held.
        ++tally_.too_late;
        lives_.back().state = state;
    } else if (state != order_state::pending) {
        fault_ = fmt::format("an order of a product with a payment window was answered {}", body);
    } else if (meant == intention::leave) {
        ++tally_.left;
        lives_.back().state = order_state::expired;
    } else {
        waiting_.push_back({.what = meant == intention::pay ? step::pay : step::cancel,
                            .order = lives_.size() - 1});
    }
    return true;
}

void hold_traffic::paid(const request& of, const outcome& what) {
    if (what.status == 201) {
        ++tally_.paid;
        tally_.last_paid = steady::now();
        lives_[of.order].state = order_state::paid;
    } else if (is_unknown(what)) {
        ask_again(of);
    } else if (!note_too_late(of, what)) {
        note_fault("payment", what);
    }
}

void hold_traffic::cancelled(const request& of, const outcome& what) {
    if (what.status == 200 && state_in(what.body) == order_state::cancelled) {
        ++tally_.cancelled;
        lives_[of.order].state = order_state::cancelled;
    } else if (is_unknown(what)) {
        ask_again(of);
    } else if (!note_too_late(of, what)) {
        note_fault("cancellation", what);
    }
}

bool hold_traffic::note_too_late(const request& of, const outcome& what) {
    if (what.status != 409 || state_in(what.body) != order_state::expired) return false;
    ++tally_.too_late;
    lives_[of.order].state = order_state::expired;
    return true;
}

void hold_traffic::ask_again(const request& of) {
    ++tally_.asked_again;
    waiting_.push_back(of);
}

void hold_traffic::note_fault(const char* request, const outcome& what) {
    if (!fault_.empty()) return;
    fault_ = fmt::format("a {} of a held order was answered {} {} {}", request, what.status,
                         what.code, what.body.substr(0, 200));
}

std::vector<wanted_order> hold_traffic::unsure() const {
    std::vector<wanted_order> all;
    for (const auto& each : waiting_) {
        if (each.what == step::place) all.push_back(wanted(each));
    }
    return all;
}

std::string hold_traffic::progress() const {
    return fmt::format("asked {}, granted {}, paid {} of {}, cancelled {}, left {}", tally_.asked,
                       tally_.granted, tally_.paid, plan_.product.supplied, tally_.cancelled,
                       tally_.left);
}

}  // namespace flashsale::bench
