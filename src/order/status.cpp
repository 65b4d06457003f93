#include <flashsale/order/life.hpp>
#include <flashsale/order/status.hpp>

namespace flashsale::order {

namespace {

constexpr std::array<std::string_view, 6> names{"SUCCESS", "PENDING",   "PAYING",
                                                "PAID",    "CANCELLED", "EXPIRED"};
constexpr std::array<std::string_view, 3> payment_names{"started", "succeeded", "failed"};

template <class Enum, std::size_t count>
std::optional<Enum> find_name(const std::array<std::string_view, count>& in,
                              std::string_view text) {
    const auto found = std::ranges::find(in, text);
    if (found == in.end()) return std::nullopt;
    return static_cast<Enum>(found - in.begin());
}

}  // namespace

std::string_view text_of(order_status what) {
    return names[static_cast<std::size_t>(what)];
}

std::optional<order_status> order_status_of(std::string_view text) {
    return find_name<order_status>(names, text);
}

std::string_view text_of(payment_state what) {
    return payment_names[static_cast<std::size_t>(what)];
}

std::optional<payment_state> payment_state_of(std::string_view text) {
    return find_name<payment_state>(payment_names, text);
}

}  // namespace flashsale::order
